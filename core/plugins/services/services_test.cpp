#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <patchbay/host.hpp>
#include <patchbay/text.hpp>

#include "plugins/services/basic_services.hpp"

namespace patchbay {
namespace {

// A Host whose calls end in HostServices without a plugin between.
class Services : public testing::Test {
protected:
    Services() {
        register_log_service(services);
        register_clock_service(services, clock, ids);
        register_crypto_service(services);
    }
    static int32_t call(void* self, uint32_t number, pb_bytes in, pb_sink out) {
        const auto& offered = *static_cast<HostServices*>(self);
        return detail::guarded(out, [&] {
            detail::deliver(out, offered.call({"sms", "twilio_sms"}, number, detail::view(in)));
        });
    }

    ManualClock clock;
    Ids ids{clock};
    HostServices services;
    pb_host table{sizeof(pb_host), PB_ABI_MINOR, &services, call};
    Host host{&table};
};

TEST_F(Services, GiveTheTimeOfTheHubsClock) {
    EXPECT_EQ(host.now_ms(), clock.now_ms());
    clock.advance(milliseconds{5});
    EXPECT_EQ(host.now_ms(), clock.now_ms());
    EXPECT_NE(host.new_id(), host.new_id());
}

TEST_F(Services, ComputeTheVectorsOfRfc4231AndFips180) {
    const std::string question = "what do ya want for nothing?";
    EXPECT_EQ(to_hex(host.hmac("sha256", "Jefe", question)),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(to_hex(host.hmac("sha1", "Jefe", question)),
              "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    EXPECT_EQ(to_hex(host.digest("sha256", "abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(host.digest("sha1", "abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
    EXPECT_THROW(host.digest("md5", "abc"), Error);
    EXPECT_EQ(host.random_bytes(16).size(), 16u);
}

TEST_F(Services, SignSoThatThePublicKeyVerifies) {
    EVP_PKEY* key = EVP_RSA_gen(2048);
    BIO* text = BIO_new(BIO_s_mem());
    ASSERT_EQ(PEM_write_bio_PrivateKey(text, key, nullptr, nullptr, 0, nullptr, nullptr), 1);
    char* pem = nullptr;
    const auto size = static_cast<size_t>(BIO_get_mem_data(text, &pem));
    const std::string signature = host.sign("rs256", {pem, size}, "header.payload");

    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ASSERT_EQ(EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key), 1);
    const auto bytes = [](const std::string& from) {
        return reinterpret_cast<const unsigned char*>(from.data());
    };
    EXPECT_EQ(
        EVP_DigestVerify(context, bytes(signature), signature.size(), bytes("header.payload"), 14),
        1);
    EVP_MD_CTX_free(context);
    BIO_free(text);
    EVP_PKEY_free(key);
    EXPECT_THROW(host.sign("rs256", "no key", "data"), Error);
}

}  // namespace
}  // namespace patchbay
