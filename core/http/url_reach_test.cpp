#include "http/url_reach.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace patchbay {

std::ostream& operator<<(std::ostream& out, UrlReach reach) {
    constexpr const char* words[] = {"refused", "open_net", "loopback"};
    return out << words[static_cast<size_t>(reach)];
}

namespace {

struct Case {
    const char* url;
    UrlReach here, elsewhere;  ///< With and without loopback.
};

constexpr auto refused = UrlReach::refused;
constexpr auto open_net = UrlReach::open_net;
constexpr auto loopback = UrlReach::loopback;

const Case cases[] = {
    {"https://hooks.example.com/a?b=c", open_net, open_net},
    {"https://hooks.example.com:443/", open_net, open_net},
    {"https://8.8.8.8/", open_net, open_net},
    {"https://[2606:4700::1111]/", open_net, open_net},
    {"http://hooks.example.com/", refused, refused},
    {"https://hooks.example.com:8443/", refused, refused},
    {"https://user@hooks.example.com/", refused, refused},
    {"https://:secret@hooks.example.com/", refused, refused},
    {"ftp://hooks.example.com/", refused, refused},
    {"hooks.example.com", refused, refused},
    {"", refused, refused},
    {"https://", refused, refused},
    // S50: written as an address that is not of the open net.
    {"https://10.1.2.3/", refused, refused},
    {"https://172.16.0.1/", refused, refused},
    {"https://192.168.1.1/", refused, refused},
    {"https://169.254.169.254/latest/meta-data", refused, refused},
    {"https://100.64.0.1/", refused, refused},
    {"https://0.0.0.0/", refused, refused},
    {"https://224.0.0.1/", refused, refused},
    {"https://[fd00::1]/", refused, refused},
    {"https://[fe80::1]/", refused, refused},
    {"https://[64:ff9b::7f00:1]/", refused, refused},
    // S51: odd forms of the same.
    {"https://0xa000001/", refused, refused},
    {"https://167772161/", refused, refused},
    {"https://10.1/", refused, refused},
    {"https://012.0.0.1/", refused, refused},
    {"https://10.0.0.1./", refused, refused},
    {"https://[::ffff:10.0.0.1]/", refused, refused},
    // This machine.
    {"http://127.0.0.1:9000/hook", loopback, refused},
    {"http://localhost:9000/hook", loopback, refused},
    {"https://localhost/hook", loopback, refused},
    {"http://[::1]:9000/", loopback, refused},
    {"http://2130706433/", loopback, refused},
    {"http://0x7f.1/", loopback, refused},
    {"http://127.0.0.1./", loopback, refused},
    {"ftp://127.0.0.1/", refused, refused},
    {"http://user@127.0.0.1/", refused, refused},
};

TEST(UrlReach, OfUrlsFromDataS50S51) {
    for (const auto& [url, here, elsewhere] : cases) {
        SCOPED_TRACE(url);
        EXPECT_EQ(reach_of(url, true), here);
        EXPECT_EQ(reach_of(url, false), elsewhere);
    }
}

}  // namespace
}  // namespace patchbay
