#include "identity/tokens.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "identity/access.hpp"

namespace patchbay {
namespace {

constexpr size_t longest_token = 4096;
constexpr int64_t leeway_s = 30;
constexpr int64_t longest_life_s = longest_token_life.count() / 1000;
constexpr std::string_view issuer = "patchbay";
constexpr std::string_view audience = "patchbay-api";

/// Header and claims are objects of a few texts and numbers.
constexpr JsonLimits token_limits{.depth = 3, .members = 32};

std::string signature_of(std::string_view signed_part, const std::string& secret) {
    return to_base64url(hmac_sha256(secret, signed_part));
}

JsonObject decoded_object(std::string_view part) {
    const auto text = from_base64url(part);
    if (!text) throw unauthenticated();
    try {
        return parse_json_object(*text, token_limits);
    } catch (const JsonError&) {
        throw unauthenticated();
    }
}

/// The three parts; anything but exactly three is refused.
std::array<std::string_view, 3> split(std::string_view token) {
    const size_t first = token.find('.');
    const size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (token.size() > longest_token || second == std::string_view::npos ||
        token.find('.', second + 1) != std::string_view::npos) {
        throw unauthenticated();
    }
    return {token.substr(0, first), token.substr(first + 1, second - first - 1),
            token.substr(second + 1)};
}

/// Only what we write ourselves: with that, `none`, jku, jwk, x5u and crit are refused without
/// being named.
std::string key_id_of(const JsonObject& header) {
    for (const auto& name : header->getNames()) {
        if (name != "alg" && name != "kid" && name != "typ") throw unauthenticated();
    }
    if (text_at(header, "alg") != "HS256" || text_at(header, "typ") != "JWT") {
        throw unauthenticated();
    }
    return text_at(header, "kid").value_or("");
}

int64_t required_number(const JsonObject& claims, const char* name) {
    const auto value = int_at(claims, name);
    if (!value) throw unauthenticated();
    return *value;
}

std::string required_text(const JsonObject& claims, const char* name) {
    const JsonValue value = value_at(claims, name);
    if (!value.isString() || value.extract<std::string>().empty()) throw unauthenticated();
    return value.extract<std::string>();
}

TokenClaims checked_claims(const JsonObject& claims, TimeMs now) {
    const int64_t now_s = now / 1000;
    if (text_at(claims, "iss") != issuer || text_at(claims, "aud") != audience) {
        throw unauthenticated();
    }
    const int64_t expires = required_number(claims, "exp");
    const int64_t issued = required_number(claims, "iat");
    const int64_t not_before = claims->has("nbf") ? required_number(claims, "nbf") : issued;
    if (issued > now_s + leeway_s || not_before > now_s + leeway_s ||
        expires > now_s + longest_life_s + leeway_s) {
        throw unauthenticated();
    }
    const TokenClaims out{.user_id = required_text(claims, "sub"),
                          .token_version = required_number(claims, "ver"),
                          .sign_in = required_text(claims, "sid"),
                          .signed_in_at = required_number(claims, "auth_time") * 1000,
                          .issued_at = issued * 1000,
                          .expires_at = expires * 1000};
    if (expires <= now_s) throw token_expired();
    return out;
}

}  // namespace

Tokens::Tokens(const std::vector<std::string>& keys, std::chrono::milliseconds ttl) : ttl_(ttl) {
    for (const auto& secret : keys) keys_.push_back({to_hex(sha256(secret)).substr(0, 8), secret});
    if (keys_.empty()) throw std::runtime_error("auth.token_keys holds no key");
}

const Tokens::Key* Tokens::find(std::string_view id) const {
    for (const Key& key : keys_) {
        if (key.id == id) return &key;
    }
    return nullptr;
}

std::string Tokens::sign(const TokenClaims& claims) const {
    const int64_t issued = claims.issued_at / 1000;
    JsonObject header = make_object();
    header->set("alg", "HS256");
    header->set("typ", "JWT");
    header->set("kid", keys_.front().id);
    JsonObject body = make_object();
    body->set("iss", std::string(issuer));
    body->set("aud", std::string(audience));
    body->set("sub", claims.user_id);
    body->set("ver", claims.token_version);
    body->set("sid", claims.sign_in);
    body->set("auth_time", claims.signed_in_at / 1000);
    body->set("iat", issued);
    body->set("exp", std::clamp(claims.expires_at / 1000, issued + 1, issued + longest_life_s));
    body->set("jti", to_base64url(random_bytes(12)));
    const std::string signed_part =
        to_base64url(to_json(header)) + "." + to_base64url(to_json(body));
    return signed_part + "." + signature_of(signed_part, keys_.front().secret);
}

TokenClaims Tokens::verify(std::string_view token, TimeMs now) const {
    const auto [header, claims, signature] = split(token);
    const Key* key = find(key_id_of(decoded_object(header)));
    if (!key) throw unauthenticated();
    const std::string_view signed_part = token.substr(0, header.size() + 1 + claims.size());
    if (!equal_constant_time(signature_of(signed_part, key->secret), signature)) {
        throw unauthenticated();
    }
    return checked_claims(decoded_object(claims), now);
}

std::string make_token_key(const std::string& file) {
    const std::filesystem::path folder = std::filesystem::path(file).parent_path();
    std::filesystem::create_directories(folder);
    const std::string key = to_base64(random_bytes(32));
    const int handle = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (handle >= 0) {
        const std::string line = key + "\n";
        const bool written =
            write(handle, line.data(), line.size()) == static_cast<ssize_t>(line.size());
        close(handle);
        if (!written) throw std::runtime_error("cannot write " + file);
        register_secret(key);
        return key;
    }
    if (errno != EEXIST)
        throw std::runtime_error("cannot make " + file + ": " + std::strerror(errno));
    std::string found;
    std::getline(std::ifstream(file) >> std::ws, found);
    if (found.size() < 32) throw std::runtime_error(file + " holds no token key");
    register_secret(found);
    return found;
}

}  // namespace patchbay
