#include "identity/sealer.hpp"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/crypto.hpp"
#include "identity/tokens.hpp"

namespace patchbay {
namespace {

// Nonce, ciphertext, tag: in this order.
constexpr size_t nonce_bytes = 12, tag_bytes = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

void require(bool fine) {
    if (!fine) throw std::runtime_error("OpenSSL cannot seal");
}

Cipher begin(std::string_view key, std::string_view nonce, std::string_view context, bool seals) {
    Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    int ignored = 0;
    require(cipher &&
            EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, bytes_of(key),
                              bytes_of(nonce), seals) == 1 &&
            EVP_CipherUpdate(cipher.get(), nullptr, &ignored, bytes_of(context),
                             static_cast<int>(context.size())) == 1);
    return cipher;
}

std::optional<std::string> open_with(std::string_view key, std::string_view sealed,
                                     std::string_view context) {
    const std::string_view nonce = sealed.substr(0, nonce_bytes);
    const std::string_view text =
        sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
    std::string tag{sealed.substr(sealed.size() - tag_bytes)};
    const Cipher cipher = begin(key, nonce, context, false);
    std::string secret(text.size(), '\0');
    int written = 0, last = 0;
    require(EVP_CipherUpdate(cipher.get(), bytes_of(secret), &written, bytes_of(text),
                             static_cast<int>(text.size())) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1);
    std::array<unsigned char, 16> rest{};
    if (EVP_CipherFinal_ex(cipher.get(), rest.data(), &last) != 1) return std::nullopt;
    return secret;
}

}  // namespace

Sealer::Sealer(const std::vector<std::string>& keys) {
    for (const std::string& key : keys) keys_.push_back(hmac_sha256(key, "patchbay seal 1"));
    if (keys_.empty()) throw std::runtime_error("there is no key to seal with");
}

std::string Sealer::seal(std::string_view secret, std::string_view context) const {
    std::string sealed = random_bytes(nonce_bytes);
    const Cipher cipher = begin(keys_.front(), sealed, context, true);
    std::string text(secret.size(), '\0'), tag(tag_bytes, '\0');
    std::array<unsigned char, 16> rest{};
    int written = 0, last = 0;
    require(EVP_CipherUpdate(cipher.get(), bytes_of(text), &written, bytes_of(secret),
                             static_cast<int>(secret.size())) == 1 &&
            EVP_CipherFinal_ex(cipher.get(), rest.data(), &last) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, tag.data()) == 1);
    return sealed + text + tag;
}

std::optional<std::string> Sealer::open(std::string_view sealed, std::string_view context) const {
    if (sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
    for (const std::string& key : keys_) {
        if (auto secret = open_with(key, sealed, context)) return secret;
    }
    return std::nullopt;
}

std::string Sealer::sign(std::string_view text) const { return hmac_sha256(keys_.front(), text); }

bool Sealer::is_signed(std::string_view text, std::string_view signature) const {
    return std::any_of(keys_.begin(), keys_.end(), [&](const std::string& key) {
        return equal_constant_time(hmac_sha256(key, text), signature);
    });
}

Sealer sealer_of(const HubConfig& config) {
    std::vector<std::string> keys = config.auth.token_keys;
    if (!config.auth.missing_key_file.empty()) {
        keys.push_back(make_token_key(config.auth.missing_key_file.string()));
    }
    return Sealer(keys);
}

}  // namespace patchbay
