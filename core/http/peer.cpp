#include "http/peer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace patchbay {
namespace {

constexpr std::array<uint8_t, 12> mapped_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// "1.2.3.4:5678", "[::1]:80", "::1": what proxies write.
std::string_view without_port(std::string_view text) {
    if (text.starts_with('[')) return text.substr(1, std::min(text.find(']'), text.size()) - 1);
    const size_t colon = text.find(':');
    return colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos
               ? text.substr(0, colon)
               : text;
}

}  // namespace

std::optional<PeerAddress> PeerAddress::parse(std::string_view text) {
    const std::string copy(text);
    PeerAddress address;
    if (inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) return address;
    std::ranges::copy(mapped_prefix, address.bytes.begin());
    if (inet_pton(AF_INET, copy.c_str(), address.bytes.data() + 12) == 1) return address;
    return std::nullopt;
}

PeerAddress PeerAddress::of(const sockaddr& address) {
    PeerAddress peer;
    if (address.sa_family == AF_INET6) {
        std::memcpy(peer.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr,
                    16);
    } else if (address.sa_family == AF_INET) {
        std::ranges::copy(mapped_prefix, peer.bytes.begin());
        std::memcpy(peer.bytes.data() + 12, &reinterpret_cast<const sockaddr_in&>(address).sin_addr,
                    4);
    }
    return peer;
}

bool PeerAddress::is_mapped() const {
    return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
}

bool PeerAddress::is_loopback() const {
    if (is_mapped()) return bytes[12] == 127;
    return std::all_of(bytes.begin(), bytes.end() - 1, [](uint8_t byte) { return byte == 0; }) &&
           bytes[15] == 1;
}

std::string PeerAddress::text() const {
    char text[INET6_ADDRSTRLEN] = "";
    if (is_mapped())
        inet_ntop(AF_INET, bytes.data() + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
    return text;
}

AddressList::AddressList(const std::vector<std::string>& entries) {
    for (const std::string& entry : entries) {
        const size_t slash = std::min(entry.find('/'), entry.size());
        const auto address = PeerAddress::parse(std::string_view(entry).substr(0, slash));
        const unsigned most = address && address->is_mapped() ? 32 : 128;
        unsigned bits = most;
        bool fine = address.has_value();
        if (slash < entry.size()) {
            const char* end = entry.data() + entry.size();
            const auto [rest, error] = std::from_chars(entry.data() + slash + 1, end, bits);
            fine = fine && error == std::errc{} && rest == end && bits <= most;
        }
        if (!fine)
            throw Error(ErrorKind::config,
                        "\"" + entry + "\" is no address and no network such as 10.0.0.0/8");
        networks_.push_back({*address, bits + 128 - most});
    }
}

bool AddressList::contains(const PeerAddress& address) const {
    return std::ranges::any_of(networks_, [&](const Network& network) {
        for (unsigned i = 0; i * 8 < network.bits; ++i) {
            const unsigned left = std::min(network.bits - i * 8, 8u);
            const auto mask = static_cast<uint8_t>(0xFF00 >> left);
            if ((address.bytes[i] & mask) != (network.address.bytes[i] & mask)) return false;
        }
        return true;
    });
}

bool is_public(const PeerAddress& peer) {
    static const AddressList closed_v4(
        {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
         "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
         "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"});
    static const AddressList open_v6({"2000::/3"});
    static const AddressList closed_v6({"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"});
    if (peer.is_mapped()) return !closed_v4.contains(peer);
    return open_v6.contains(peer) && !closed_v6.contains(peer);
}

bool is_public(const sockaddr& address) {
    const PeerAddress peer = PeerAddress::of(address);
    if (address.sa_family == AF_INET) return is_public(peer);
    // A mapped one over IPv6 is refused, whatever it carries.
    return address.sa_family == AF_INET6 && !peer.is_mapped() && is_public(peer);
}

std::string forwarded_client(const HttpRequest& request, const AddressList& trusted,
                             const PeerAddress& direct) {
    PeerAddress client = direct;
    for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
        if (!equal_ignoring_case(header->name, "X-Forwarded-For")) continue;
        std::string_view rest = header->value;
        while (!rest.empty()) {
            const size_t comma = rest.rfind(',');
            const size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
            const auto entry = PeerAddress::parse(without_port(trim(rest.substr(begin))));
            // Beyond the first hop that is not ours anybody may have written anything.
            if (!entry) return client.text();
            client = *entry;
            if (!trusted.contains(client)) return client.text();
            rest = rest.substr(0, begin == 0 ? 0 : comma);
        }
    }
    return client.text();
}

bool AddressCounts::enter(const PeerAddress& address, size_t limit) {
    const std::lock_guard lock(mutex_);
    size_t& count = counts_[address];
    if (count >= limit) return false;
    ++count;
    return true;
}

void AddressCounts::leave(const PeerAddress& address) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(address);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
}

}  // namespace patchbay
