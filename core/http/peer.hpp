// Who is at the other end: addresses, trusted proxies, X-Forwarded-For.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

struct sockaddr;

namespace patchbay {

/// An IPv4 address is kept as its IPv6-mapped form, so that one client is one address on both.
struct PeerAddress {
    std::array<uint8_t, 16> bytes{};

    static std::optional<PeerAddress> parse(std::string_view text);  ///< Without port and brackets.
    static PeerAddress of(const sockaddr& address);  ///< All zero for a family that is not IP.
    bool is_mapped() const;
    bool is_loopback() const;
    std::string text() const;
    auto operator<=>(const PeerAddress&) const = default;
};

/// Addresses and networks: "10.0.0.0/8", "127.0.0.1", "::1".
class AddressList {
public:
    AddressList() = default;
    /// Throws Error(config) naming the entry that is no address.
    explicit AddressList(const std::vector<std::string>& entries);
    bool contains(const PeerAddress& address) const;

private:
    struct Network {
        PeerAddress address;
        unsigned bits;
    };
    std::vector<Network> networks_;
};

/// S50: an address of the open internet. Not so private, loopback, link-local, shared, multicast,
/// documentation, benchmark and reserved ones, nor IPv6 forms that carry an IPv4 address (mapped,
/// NAT64, 6to4, Teredo).
bool is_public(const sockaddr& address);
/// The same of an address in text; a mapped one is the IPv4 address it carries.
bool is_public(const PeerAddress& address);

/// The client behind trusted proxies: the last entry of X-Forwarded-For that is not itself trusted.
/// `direct` when there is none.
std::string forwarded_client(const HttpRequest& request, const AddressList& trusted,
                             const PeerAddress& direct);

/// How many connections each address has. [any thread]
class AddressCounts {
public:
    /// False, and nothing changed, when the address has `limit` already.
    bool enter(const PeerAddress& address, size_t limit);
    void leave(const PeerAddress& address);

private:
    std::mutex mutex_;
    std::map<PeerAddress, size_t> counts_;
};

}  // namespace patchbay
