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
    if (algorithm == "sha256") return wire::pack(wire::Bytes{sha256(data.data)});
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
}

}  // namespace patchbay
