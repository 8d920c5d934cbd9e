#include <openssl/evp.h>
#include <openssl/pem.h>

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>

#include "base/crypto.hpp"
#include "plugins/services/basic_services.hpp"

namespace patchbay {
namespace {

constexpr uint32_t max_random_bytes = 4096;

Error unknown_algorithm(const std::string& name) {
    return Error(ErrorKind::unsupported, "crypto/1 has no algorithm \"" + name + "\"");
}

std::string sha1(const std::string& data) {
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(data.data(), data.size(), out, &size, EVP_sha1(), nullptr) != 1) {
        throw Error(ErrorKind::internal, "the digest could not be computed");
    }
    return {reinterpret_cast<char*>(out), size};
}

template <class T, void (*release)(T*)>
struct Release {
    void operator()(T* object) const { release(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX, EVP_MD_CTX_free>>;

Key read_rsa_key(const std::string& pem) {
    BIO* text = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    Key key(text ? PEM_read_bio_PrivateKey(text, nullptr, nullptr, nullptr) : nullptr);
    BIO_free(text);
    if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) {
        throw Error(ErrorKind::request, "the private key is not an RSA key in PEM");
    }
    return key;
}

std::string sign_rs256(const std::string& pem, const std::string& data) {
    const Key key = read_rsa_key(pem);
    const Context context(EVP_MD_CTX_new());
    const auto* bytes = reinterpret_cast<const unsigned char*>(data.data());
    std::string signature(static_cast<size_t>(EVP_PKEY_size(key.get())), '\0');
    size_t size = signature.size();
    if (!context ||
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                       bytes, data.size()) != 1) {
        throw Error(ErrorKind::internal, "the signature could not be computed");
    }
    signature.resize(size);
    return signature;
}

std::string make_hmac(const ServiceCaller&, std::string_view in) {
    std::string algorithm;
    wire::Bytes key, data;
    wire::unpack(in, wire::Text::checked, algorithm, key, data);
    if (algorithm == "sha1") return wire::pack(wire::Bytes{hmac_sha1(key.data, data.data)});
    if (algorithm == "sha256") return wire::pack(wire::Bytes{hmac_sha256(key.data, data.data)});
    throw unknown_algorithm(algorithm);
}

std::string make_digest(const ServiceCaller&, std::string_view in) {
    std::string algorithm;
    wire::Bytes data;
    wire::unpack(in, wire::Text::checked, algorithm, data);
    if (algorithm == "sha1") return wire::pack(wire::Bytes{sha1(data.data)});
    if (algorithm == "sha256") return wire::pack(wire::Bytes{sha256(data.data)});
    throw unknown_algorithm(algorithm);
}

std::string make_signature(const ServiceCaller&, std::string_view in) {
    std::string algorithm;
    wire::Bytes key, data;
    wire::unpack(in, wire::Text::checked, algorithm, key, data);
    if (algorithm == "rs256") return wire::pack(wire::Bytes{sign_rs256(key.data, data.data)});
    throw unknown_algorithm(algorithm);
}

std::string make_random(const ServiceCaller&, std::string_view in) {
    uint32_t count = 0;
    wire::unpack(in, wire::Text::checked, count);
    if (count > max_random_bytes) {
        throw Error(ErrorKind::request, "at most 4096 random bytes at once");
    }
    return wire::pack(wire::Bytes{random_bytes(count)});
}

}  // namespace

void register_crypto_service(HostServices& services) {
    services.register_method("crypto/1", method::hmac, make_hmac);
    services.register_method("crypto/1", method::digest, make_digest);
    services.register_method("crypto/1", method::random_bytes, make_random);
    services.register_method("crypto/1", method::sign, make_signature);
}

}  // namespace patchbay
