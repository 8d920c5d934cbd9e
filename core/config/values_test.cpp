#include "config/values.hpp"

#include <gtest/gtest.h>

#include "config/secrets.hpp"

namespace patchbay {
namespace {

TEST(Values, KnowWhereAServerCanListen) {
    for (const char* text : {"127.0.0.1:8000", "0.0.0.0:80", "[::1]:8000", "localhost:0"})
        EXPECT_TRUE(is_listen_address(text)) << text;
    for (const char* text : {"", "8000", ":8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                             "127.0.0.1:+80", "999.0.0.1:80", "127.0.0:80", "::1:8000", "[::1]",
                             "[::1:80", "local host:80", "http://localhost:80", "*:80"})
        EXPECT_FALSE(is_listen_address(text)) << text;
}

TEST(Values, KnowNetworksAndHosts) {
    for (const char* text : {"10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8", "0.0.0.0/0"})
        EXPECT_TRUE(is_network(text)) << text;
    for (const char* text : {"10.0.0.0/33", "10.0.0/8", "proxy", "10.0.0.0/", "::1/129", ""})
        EXPECT_FALSE(is_network(text)) << text;
    for (const char* text : {"hub.example.com", "localhost", "10.1.2.3", "a-b.example"})
        EXPECT_TRUE(is_host(text)) << text;
    for (const char* text : {"hub.example.com:443", "https://x", "a..b", "-a.b", "*.example", ""})
        EXPECT_FALSE(is_host(text)) << text;
}

TEST(Values, KnowUrlsAndOriginsS6B) {
    for (const char* text : {"https://hub.example", "http://127.0.0.1:8000/base/", "http://[::1]/"})
        EXPECT_TRUE(is_http_url(text)) << text;
    for (const char* text : {"hub.example", "https://", "https://hub example", "ftp://x",
                             "https://user:pw@x", "https://x/?a", "https://x:99999", "https:///x"})
        EXPECT_FALSE(is_http_url(text)) << text;
    EXPECT_TRUE(is_origin("https://desk.example:8443"));
    for (const char* text : {"https://desk.example/", "*", "null", "https://*.example"})
        EXPECT_FALSE(is_origin(text)) << text;
}

TEST(Values, KnowSizes) {
    EXPECT_EQ(parse_size("64KiB"), 64u << 10);
    EXPECT_EQ(parse_size("512B"), 512u);
    for (const char* text : {"64", "64KB", "64 KiB", "-1B", "99999999999GiB", ""})
        EXPECT_EQ(parse_size(text), std::nullopt) << text;
    EXPECT_EQ(size_text(256ull << 20), "256MiB");
}

TEST(Secrets, AreKnownByTheirKeysS80) {
    for (const char* key : {"auth_token", "auth_token_previous", "api_key", "app_secret",
                            "plugins.sms.config.tokens[0]", "db_password", "auth.token_keys[1]"})
        EXPECT_TRUE(is_secret_key(key)) << key;
    for (const char* key : {"token_ttl", "token_url", "token_file", "account_sid", "public_url",
                            "plugins.token_desk.config.name"})
        EXPECT_FALSE(is_secret_key(key)) << key;
}

TEST(Secrets, AreTakenOutOfUrls) {
    EXPECT_EQ(without_password("postgresql://hub:pw@db/hub"), "postgresql://hub:***@db/hub");
    EXPECT_EQ(without_password("redis://:pw@cache:6379"), "redis://:***@cache:6379");
    for (const char* url : {"https://hub.example/a:b@c", "postgresql://hub@db/x", "local"})
        EXPECT_EQ(without_password(url), url);
}

}  // namespace
}  // namespace patchbay
