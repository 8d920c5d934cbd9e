#include "base/crypto.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <array>
#include <memory>
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

// HMAC() looks the algorithm up each time, which costs more than a short text's own code. So each
// thread keeps one context for each digest.
class Mac {
public:
    explicit Mac(const char* digest) {
        const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> hmac{
            EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr), EVP_MAC_free};
        if (hmac) context_.reset(EVP_MAC_CTX_new(hmac.get()));
        const OSSL_PARAM settings[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(digest), 0),
            OSSL_PARAM_construct_end()};
        if (!context_ || EVP_MAC_CTX_set_params(context_.get(), settings) != 1)
            throw openssl_refused("HMAC");
    }

    std::string operator()(std::string_view key, std::string_view data) {
        // A null pointer would mean the key of the last call.
        const auto* key_bytes = key.empty() ? bytes_of("") : bytes_of(key);
        std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
        size_t size = 0;
        if (EVP_MAC_init(context_.get(), key_bytes, key.size(), nullptr) != 1 ||
            EVP_MAC_update(context_.get(), bytes_of(data), data.size()) != 1 ||
            EVP_MAC_final(context_.get(), out.data(), &size, out.size()) != 1) {
            throw openssl_refused("HMAC");
        }
        return {reinterpret_cast<const char*>(out.data()), size};
    }

private:
    struct Free {
        void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
    };
    std::unique_ptr<EVP_MAC_CTX, Free> context_;
};

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
    thread_local Mac mac{"SHA1"};
    return mac(key, data);
}

std::string hmac_sha256(std::string_view key, std::string_view data) {
    thread_local Mac mac{"SHA256"};
    return mac(key, data);
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
