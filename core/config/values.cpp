#include "config/values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace patchbay {
namespace {

struct SizeUnit {
    std::string_view word;
    uint64_t bytes;
};
constexpr SizeUnit size_units[] = {
    {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}};

std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
    unsigned value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc{} || rest != end || value > most) return std::nullopt;
    return value;
}

bool is_port(std::string_view text) { return parse_number(text, 65'535).has_value(); }

bool is_ip(std::string_view text, int family) {
    unsigned char bytes[16];
    return inet_pton(family, std::string(text).c_str(), bytes) == 1;
}

/// Labels of letters, digits and '-'. The last begins with a letter: else it would be an address
/// with a mistake.
bool is_host_name(std::string_view text) {
    if (text.empty() || text.size() > 253) return false;
    for (;;) {
        const size_t dot = text.find('.');
        const std::string_view label = text.substr(0, dot);
        const bool fine = !label.empty() && label.size() <= 63 && label.front() != '-' &&
                          label.back() != '-' &&
                          std::all_of(label.begin(), label.end(), [](char c) {
                              return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                     (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
                          });
        if (!fine) return false;
        if (dot == std::string_view::npos) return label.front() < '0' || label.front() > '9';
        text.remove_prefix(dot + 1);
    }
}

/// A host with or without a port; brackets around an IPv6 address.
bool is_authority(std::string_view text, bool needs_port) {
    std::string_view host = text, port;
    bool has_port = false;
    if (text.starts_with('[')) {
        const size_t close = text.find(']');
        if (close == std::string_view::npos || !is_ip(text.substr(1, close - 1), AF_INET6)) {
            return false;
        }
        port = text.substr(close + 1);
        has_port = port.starts_with(':');
        if (!has_port) return port.empty() && !needs_port;
        return is_port(port.substr(1));
    }
    if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
        has_port = true;
    }
    if (has_port ? !is_port(port) : needs_port) return false;
    return is_ip(host, AF_INET) || is_host_name(host);
}

std::string_view after_scheme(std::string_view url) {
    for (const std::string_view scheme : {"https://", "http://"}) {
        if (url.starts_with(scheme)) return url.substr(scheme.size());
    }
    return {};
}

}  // namespace

bool is_listen_address(std::string_view text) { return is_authority(text, true); }

bool is_network(std::string_view text) {
    const size_t slash = text.find('/');
    const std::string_view address = text.substr(0, slash);
    const bool v4 = is_ip(address, AF_INET);
    if (!v4 && !is_ip(address, AF_INET6)) return false;
    return slash == std::string_view::npos ||
           parse_number(text.substr(slash + 1), v4 ? 32 : 128).has_value();
}

bool is_host(std::string_view text) {
    return is_ip(text, AF_INET) || is_ip(text, AF_INET6) || is_host_name(text);
}

bool is_http_url(std::string_view text) {
    if (text.find_first_of(" \t\r\n?#@\\") != std::string_view::npos) return false;
    const std::string_view rest = after_scheme(text);
    return is_authority(rest.substr(0, rest.find('/')), false);
}

bool is_origin(std::string_view text) {
    return is_http_url(text) && after_scheme(text).find('/') == std::string_view::npos;
}

std::optional<uint64_t> parse_size(std::string_view text) {
    uint64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc{}) return std::nullopt;
    const std::string_view word(rest, static_cast<size_t>(end - rest));
    for (const auto& unit : size_units) {
        if (unit.word == word && count <= UINT64_MAX / unit.bytes) return count * unit.bytes;
    }
    return std::nullopt;
}

std::string size_text(uint64_t bytes) {
    for (const auto& unit : size_units) {
        if (bytes && bytes % unit.bytes == 0) {
            return std::to_string(bytes / unit.bytes) + std::string(unit.word);
        }
    }
    return std::to_string(bytes) + "B";
}

}  // namespace patchbay
