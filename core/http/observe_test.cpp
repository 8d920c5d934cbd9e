#include "http/observe.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

struct PeerCase {
    const char* name;
    std::string peer, shown;
};

const PeerCase peer_cases[] = {
    {"IPv4", "203.0.113.77", "203.0.113.0/24"},
    {"IPv6", "2001:db8:1:2:3::4", "2001:db8:1::/48"},
    {"IPv4 in IPv6", "::ffff:203.0.113.77", "203.0.113.0/24"},
    {"this machine", "127.0.0.1", "127.0.0.1"},
    {"this machine, IPv6", "::1", "::1"},
    {"the control socket", "control", "control"},
};

TEST(AccessLog, ShowsNetworksInThePlaceOfAddressesS82) {
    for (const auto& [name, peer, shown] : peer_cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(logged_peer(peer), shown);
    }
}

struct TargetCase {
    const char* name;
    std::string path, query, shown;
};

const TargetCase target_cases[] = {
    {"plain", "/api/v1/messages", "", "/api/v1/messages"},
    {"values of the query", "/x", "limit=5&q=my%20name", "/x?limit=***&q=***"},
    {"a name that is none", "/x", "27123456789=1&a%0ab", "/x?*=***&*=***"},
    {"a key without value", "/x", "flag", "/x?flag=***"},
    {"a number with a plus", "/contacts/+27123456789/read", "", "/contacts/+27*****6789/read"},
    {"a number without", "/contacts/2712345678/read", "", "/contacts/27*****5678/read"},
    {"an id", "/messages/0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f", "",
     "/messages/0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f"},
    {"a small number", "/conversations/31", "", "/conversations/31"},
    {"what may be a secret", "/hooks/x/0123456789abcdef0123", "", "/hooks/x/***"},
    {"a long id of ours", "/deliveries/9007199254740993001", "", "/deliveries/9007199254740993001"},
    {"a long word of the route", "/messages/1/a-long-word-of-the-route", "",
     "/messages/1/a-long-word-of-the-route"},
    {"nothing", "/", "", "/"},
    {"a long path", "/" + std::string(500, 'a'), "", "/***"},
};

TEST(AccessLog, ShowsNoValueOfAQueryAndNoNumberS82) {
    for (const auto& [name, path, query, shown] : target_cases) {
        SCOPED_TRACE(name);
        HttpRequest request;
        request.path = path;
        request.query = query;
        EXPECT_EQ(logged_target(request, "/messages/{id}/a-long-word-of-the-route"), shown);
    }
}

}  // namespace
}  // namespace patchbay
