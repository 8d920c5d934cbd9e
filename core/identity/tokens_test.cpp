#include "identity/tokens.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "http/problem.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const std::string key = "0123456789abcdef0123456789abcdef";
const std::string old_key = "fedcba9876543210fedcba9876543210";
constexpr TimeMs now = 1'800'000'000'000;
constexpr int64_t now_s = now / 1000;

std::string code_of(const Tokens& tokens, std::string_view token, TimeMs at = now) {
    try {
        tokens.verify(token, at);
    } catch (const Problem& problem) {
        EXPECT_EQ(problem.status, 401);
        EXPECT_EQ(problem.headers.at("www-authenticate"), "Bearer");
        return problem.code;
    }
    return "";
}

/// A token of user "0193a0", signed now.
std::string token_of(const Tokens& tokens, std::chrono::milliseconds life) {
    return tokens.sign({.user_id = "0193a0",
                        .token_version = 7,
                        .sign_in = "sign-in",
                        .signed_in_at = now - 60'000,
                        .issued_at = now,
                        .expires_at = now + life.count()});
}

struct Parts {
    JsonObject header = make_object(), claims = make_object();
};

/// A token as sign() makes it, for tests to change; signed with `key`.
Parts good_parts() {
    Parts parts;
    parts.header->set("alg", "HS256");
    parts.header->set("typ", "JWT");
    parts.header->set("kid", to_hex(sha256(key)).substr(0, 8));
    parts.claims->set("iss", "patchbay");
    parts.claims->set("aud", "patchbay-api");
    parts.claims->set("sub", "0193a0");
    parts.claims->set("ver", 1);
    parts.claims->set("sid", "sign-in");
    parts.claims->set("auth_time", now_s);
    parts.claims->set("iat", now_s);
    parts.claims->set("exp", now_s + 3600);
    return parts;
}

std::string signed_token(const Parts& parts, const std::string& secret = key) {
    const std::string body =
        to_base64url(to_json(parts.header)) + "." + to_base64url(to_json(parts.claims));
    return body + "." + to_base64url(hmac_sha256(secret, body));
}

struct ForgedCase {
    const char* name;
    std::function<void(Parts&)> change;
};

const ForgedCase forged[] = {
    {"algorithm none", [](Parts& p) { p.header->set("alg", "none"); }},
    {"other algorithm", [](Parts& p) { p.header->set("alg", "HS512"); }},
    {"other type", [](Parts& p) { p.header->set("typ", "at+jwt"); }},
    {"no type", [](Parts& p) { p.header->remove("typ"); }},
    {"unknown key id", [](Parts& p) { p.header->set("kid", "00000000"); }},
    {"no key id", [](Parts& p) { p.header->remove("kid"); }},
    {"jku", [](Parts& p) { p.header->set("jku", "https://evil.example"); }},
    {"x5u", [](Parts& p) { p.header->set("x5u", "https://evil.example"); }},
    {"jwk", [](Parts& p) { p.header->set("jwk", make_object()); }},
    {"crit", [](Parts& p) { p.header->set("crit", make_array()); }},
    {"no expiry", [](Parts& p) { p.claims->remove("exp"); }},
    {"expiry as text", [](Parts& p) { p.claims->set("exp", std::to_string(now_s + 60)); }},
    {"expiry too far ahead", [](Parts& p) { p.claims->set("exp", now_s + 25 * 3600); }},
    {"issued in the future", [](Parts& p) { p.claims->set("iat", now_s + 31); }},
    {"not yet valid", [](Parts& p) { p.claims->set("nbf", now_s + 31); }},
    {"other issuer", [](Parts& p) { p.claims->set("iss", "someone"); }},
    {"no issuer", [](Parts& p) { p.claims->remove("iss"); }},
    {"other audience", [](Parts& p) { p.claims->set("aud", "other"); }},
    {"no subject", [](Parts& p) { p.claims->remove("sub"); }},
    {"subject as number", [](Parts& p) { p.claims->set("sub", 5); }},
    {"no version", [](Parts& p) { p.claims->remove("ver"); }},
    {"no sign-in", [](Parts& p) { p.claims->remove("sid"); }},
    {"no time of the sign-in", [](Parts& p) { p.claims->remove("auth_time"); }},
};

}  // namespace

TEST(Tokens, SayWhoseTheyAreUntilTheyExpire) {
    const Tokens tokens({key}, 12h);
    const std::string token = token_of(tokens, 12h);
    const TokenClaims claims = tokens.verify(token, now + 1000);
    EXPECT_EQ(claims.user_id, "0193a0");
    EXPECT_EQ(claims.token_version, 7);
    EXPECT_EQ(claims.sign_in, "sign-in");
    EXPECT_EQ(claims.signed_in_at, now - 60'000);
    EXPECT_EQ(claims.expires_at, now + 12 * 3'600'000);
    EXPECT_EQ(code_of(tokens, token, claims.expires_at - 1), "");
    EXPECT_EQ(code_of(tokens, token, claims.expires_at), "token_expired");
}

TEST(Tokens, LiveForADayAtMostS64) {
    const Tokens tokens({key}, 12h);
    EXPECT_EQ(tokens.verify(token_of(tokens, 48h), now).expires_at, now + 24 * 3'600'000);
    EXPECT_EQ(tokens.verify(token_of(tokens, 5min), now).expires_at, now + 300'000);
}

TEST(Tokens, AreRefusedWhenAnyClaimIsWrongS64) {
    const Tokens tokens({key}, 12h);
    ASSERT_EQ(code_of(tokens, signed_token(good_parts())), "");
    for (const auto& [name, change] : forged) {
        SCOPED_TRACE(name);
        Parts parts = good_parts();
        change(parts);
        EXPECT_EQ(code_of(tokens, signed_token(parts)), "unauthenticated");
    }
}

TEST(Tokens, AreRefusedInAnyOtherFormS64) {
    const Tokens tokens({key}, 12h);
    const std::string good = signed_token(good_parts());
    const size_t dot = good.rfind('.');
    std::string last_changed = good;
    last_changed[dot + 1] = last_changed[dot + 1] == 'A' ? 'B' : 'A';
    const std::string wrong[] = {"",
                                 ".",
                                 "..",
                                 good.substr(0, dot),
                                 good.substr(0, dot + 1),
                                 good + ".more",
                                 good + "=",
                                 good + "==",
                                 " " + good,
                                 last_changed,
                                 good + std::string(4096, 'A'),
                                 signed_token(good_parts(), old_key)};
    for (const auto& token : wrong) {
        SCOPED_TRACE(token.substr(0, 60));
        EXPECT_EQ(code_of(tokens, token), "unauthenticated");
    }
}

TEST(Tokens, AreTakenWithAnOldKeyDuringRotationS65) {
    const std::string token = token_of(Tokens({old_key}, 12h), 12h);
    EXPECT_EQ(code_of(Tokens({key, old_key}, 12h), token), "");
    EXPECT_EQ(code_of(Tokens({key}, 12h), token), "unauthenticated");
}

TEST(Tokens, GetAKeyFileThatOnlyTheServiceMayRead) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("patchbay_key_" + std::to_string(getpid()));
    const std::string file = folder / "var" / "token.key";
    const std::string made = make_token_key(file);
    EXPECT_EQ(from_base64(made).value_or("").size(), 32u);
    struct stat info {};
    ASSERT_EQ(stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(make_token_key(file), made) << "the second start must find the first one's key";
    std::filesystem::remove_all(folder);
}

}  // namespace patchbay
