// What the texts of the configuration have to look like.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace patchbay {

/// "127.0.0.1:8000", "[::1]:8000", "localhost:8000": an address or a name, and a port.
bool is_listen_address(std::string_view text);
/// "10.0.0.0/8", "127.0.0.1", "::1": an address or a network.
bool is_network(std::string_view text);
/// "hub.example.com" or an address, without a port.
bool is_host(std::string_view text);
/// An http or https URL with a host; no user, query or fragment.
bool is_http_url(std::string_view text);
/// "https://desk.example:8443": an http or https URL without a path.
bool is_origin(std::string_view text);

/// "64KiB", "256MiB", "2GiB", "512B". nullopt for anything else.
std::optional<uint64_t> parse_size(std::string_view text);
std::string size_text(uint64_t bytes);

}  // namespace patchbay
