#include "base/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <stdexcept>

namespace patchbay {
namespace {

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

std::runtime_error openssl_refused(const char* what) {
    std::array<char, 256> reason{};
    ERR_error_string_n(ERR_get_error(), reason.data(), reason.size());
    return std::runtime_error(std::string(what) + ": " + reason.data());
}

std::string hmac(const EVP_MD* digest, std::string_view key, std::string_view data) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    if (!HMAC(digest, key.data(), static_cast<int>(key.size()), bytes_of(data), data.size(),
              out.data(), &size)) {
        throw openssl_refused("HMAC");
    }
    return {reinterpret_cast<const char*>(out.data()), size};
}

}  // namespace

std::string sha256(std::string_view data) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
    unsigned size = 0;
    if (EVP_Digest(data.data(), data.size(), out.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw openssl_refused("SHA-256");
    }
    return {reinterpret_cast<const char*>(out.data()), size};
}

std::string hmac_sha1(std::string_view key, std::string_view data) {
    return hmac(EVP_sha1(), key, data);
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
    return hmac(EVP_sha256(), key, data);
}

bool equal_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(size_t count) {
    std::string out(count, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) != 1) {
        throw openssl_refused("random bytes");
    }
    return out;
}

std::string scrypt(std::string_view password, std::string_view salt, unsigned log2_n, unsigned r,
                   unsigned p, size_t bytes) {
    std::string out(bytes, '\0');
    const uint64_t n = 1ull << log2_n;
    // OpenSSL's own limit is 32 MiB, a hair too little for N=2^15, r=8.
    const uint64_t needed = 128ull * r * (n + p + 2) + (1 << 16);
    if (EVP_PBE_scrypt(password.data(), password.size(), bytes_of(salt), salt.size(), n, r, p,
                       needed, reinterpret_cast<unsigned char*>(out.data()), bytes) != 1) {
        throw openssl_refused("scrypt");
    }
    return out;
}

}  // namespace patchbay
