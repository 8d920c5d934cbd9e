#include "inbound/signature_scheme.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <patchbay/text.hpp>

namespace patchbay {
namespace {

std::atomic<int> comparisons{0};  // See CRYPTO_memcmp below.

constexpr TimeMs noon = 1'795'170'000'000;

HttpRequest post(std::string body, std::vector<HttpHeader> headers) {
    HttpRequest request;
    request.method = "POST";
    request.target = "/hooks/x/y";
    request.body = std::move(body);
    request.headers = std::move(headers);
    return request;
}

// As a provider would send it: signed by the scheme, received by the hub.
HttpRequest signed_post(const SignatureScheme& scheme, const SignatureSettings& settings,
                        const std::string& body, TimeMs now = noon) {
    Request request{.url = "https://hub.example/hooks/x/y", .body = body};
    scheme.sign(request, settings, now);
    HttpRequest received = post(body, {});
    for (const auto& [name, value] : request.headers) received.headers.push_back({name, value});
    return received;
}

struct SchemeCase {
    const char* name;
    Signature scheme;
    const char *header, *signature_header;
};

const SchemeCase schemes[] = {
    {"twilio_sha1", Signature::twilio_sha1, "", "x-twilio-signature"},
    {"meta_sha256", Signature::meta_sha256, "", "x-hub-signature-256"},
    {"shared_header", Signature::shared_header, "x-api-key", "x-api-key"},
    {"shared_header as bearer token", Signature::shared_header, "authorization", "authorization"},
    {"standard_webhooks", Signature::standard_webhooks, "", "webhook-signature"},
};

SignatureSettings settings_with(const SchemeCase& one, std::vector<std::string> secrets) {
    return {
        .public_url = "https://hub.example", .secrets = std::move(secrets), .header = one.header};
}

TEST(SignatureSchemes, TakeTheNewAndTheOldSecretDuringARotation_S46) {
    for (const SchemeCase& one : schemes) {
        SCOPED_TRACE(one.name);
        const SignatureScheme& scheme = *find_signature_scheme(one.scheme);
        const HttpRequest with_old = signed_post(scheme, settings_with(one, {"old-secret"}), "");
        const HttpRequest with_new = signed_post(scheme, settings_with(one, {"new-secret"}), "");
        const SignatureSettings rotating = settings_with(one, {"new-secret", "old-secret"});
        EXPECT_TRUE(scheme.matches(with_old, rotating, noon));
        EXPECT_TRUE(scheme.matches(with_new, rotating, noon));
        EXPECT_FALSE(scheme.matches(with_old, settings_with(one, {"new-secret"}), noon));
        EXPECT_FALSE(scheme.matches(with_old, settings_with(one, {}), noon));
    }
}

// Whichever secret fits, and whether one does: as many comparisons, each in constant time. An early
// end would tell how far a guess was right.
TEST(SignatureSchemes, CompareWithEverySecretInConstantTime_S46) {
    for (const SchemeCase& one : schemes) {
        SCOPED_TRACE(one.name);
        const SignatureScheme& scheme = *find_signature_scheme(one.scheme);
        const SignatureSettings both = settings_with(one, {"secret-1", "secret-2"});
        const auto cost_of = [&](const char* secret) {
            const HttpRequest request = signed_post(scheme, settings_with(one, {secret}), "");
            const int before = comparisons;
            EXPECT_EQ(scheme.matches(request, both, noon), secret != std::string("secret-3"));
            return comparisons - before;
        };
        const int cost = cost_of("secret-1");
        EXPECT_GE(cost, 2);
        EXPECT_EQ(cost_of("secret-2"), cost);
        EXPECT_EQ(cost_of("secret-3"), cost);
    }
}

TEST(SignatureSchemes, RefuseAMissingEmptyOrRepeatedHeader_S42_S44) {
    for (const SchemeCase& one : schemes) {
        SCOPED_TRACE(one.name);
        const SignatureScheme& scheme = *find_signature_scheme(one.scheme);
        const SignatureSettings settings = settings_with(one, {"secret"});
        const HttpRequest good = signed_post(scheme, settings, "");
        ASSERT_TRUE(scheme.matches(good, settings, noon));

        HttpRequest twice = good, none = good, empty = good;
        for (size_t i = 0; i < good.headers.size(); ++i) {
            if (good.headers[i].name != one.signature_header) continue;
            twice.headers.push_back(good.headers[i]);
            none.headers.erase(none.headers.begin() + static_cast<std::ptrdiff_t>(i));
            empty.headers[i].value.clear();
        }
        EXPECT_FALSE(scheme.matches(twice, settings, noon));
        EXPECT_FALSE(scheme.matches(none, settings, noon));
        EXPECT_FALSE(scheme.matches(empty, settings, noon));
    }
}

TEST(SignatureSchemes, NeverTakeAnEmptySecret_S45) {
    for (const SchemeCase& one : schemes) {
        SCOPED_TRACE(one.name);
        const SignatureScheme& scheme = *find_signature_scheme(one.scheme);
        const SignatureSettings empty = settings_with(one, {""});
        EXPECT_FALSE(scheme.is_usable(""));
        EXPECT_FALSE(scheme.matches(signed_post(scheme, empty, ""), empty, noon));
    }
}

TEST(SignatureSchemes, AreNoneForRoutesThatPluginsCheckThemselves) {
    EXPECT_EQ(find_signature_scheme(Signature::none), nullptr);
    EXPECT_EQ(find_signature_scheme(Signature::custom), nullptr);
    EXPECT_EQ(find_signature_scheme(static_cast<Signature>(99)), nullptr);
}

// S42: every vector. Where both answers are right, ours is no.
TEST(MetaSignature, AgreesWithEveryVector_S42) {
    const std::filesystem::path file =
        PATCHBAY_SOURCE_DIR "/../shared/contracts/vectors/whatsapp-signatures.json";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "shared vectors are not here";
    std::ifstream in{file};
    const auto document = Poco::JSON::Parser{}.parse(in).extract<Poco::JSON::Object::Ptr>();
    const auto cases = document->getArray("cases");
    ASSERT_EQ(cases->size(), 12u);
    for (size_t i = 0; i < cases->size(); ++i) {
        const auto row = cases->getObject(i);
        SCOPED_TRACE(row->getValue<std::string>("name"));
        const HttpRequest request =
            post(from_base64(row->getValue<std::string>("raw_body_base64")).value(),
                 {{"X-Hub-Signature-256", row->getValue<std::string>("header")}});
        const bool valid = row->get("valid").isBoolean() && row->getValue<bool>("valid");
        EXPECT_EQ(meta_sha256_scheme().matches(
                      request, {.secrets = {row->getValue<std::string>("app_secret")}}, noon),
                  valid);
    }
}

TEST(MetaSignature, CoversEveryByteOfTheBody) {
    const SignatureSettings settings{.secrets = {"app secret"}};
    HttpRequest request = signed_post(meta_sha256_scheme(), settings, R"({"text":"\u00fc"})");
    EXPECT_TRUE(meta_sha256_scheme().matches(request, settings, noon));
    request.body = R"({"text":"ü"})";
    EXPECT_FALSE(meta_sha256_scheme().matches(request, settings, noon));
}

TEST(SharedHeader, ReadsABearerTokenOutOfAuthorization) {
    const SignatureSettings settings{.secrets = {"let-me-in"}, .header = "authorization"};
    const auto matches = [&](const char* value) {
        return shared_header_scheme().matches(post("", {{"Authorization", value}}), settings, noon);
    };
    EXPECT_TRUE(matches("Bearer let-me-in"));
    EXPECT_TRUE(matches("bearer let-me-in"));
    EXPECT_FALSE(matches("let-me-in"));
    EXPECT_FALSE(matches("Basic let-me-in"));
    EXPECT_FALSE(matches("Bearer "));
    EXPECT_FALSE(matches("Bearer let-me-in-too"));
}

// The example of the specification's own libraries.
// Source: https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries
const SignatureSettings published{.secrets = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}};
constexpr TimeMs published_at = 1'614'265'330'000;

HttpRequest published_request(
    const char* id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
    const char* signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    const char* timestamp = "1614265330") {
    return post(
        R"({"test": 2432232314})",
        {{"Webhook-Id", id}, {"Webhook-Timestamp", timestamp}, {"Webhook-Signature", signature}});
}

TEST(StandardWebhooks, AgreeWithThePublishedExample_S43) {
    EXPECT_TRUE(standard_webhooks_scheme().matches(published_request(), published, published_at));
}

TEST(StandardWebhooks, TakeOneGoodSignatureAmongOthers_S43) {
    const auto matches = [](const char* list) {
        return standard_webhooks_scheme().matches(
            published_request("msg_p5jXN8AQM9LWM0D4loKWxJek", list), published, published_at);
    };
    EXPECT_TRUE(matches(
        "v1,AAAA v2,g0hM9SsE+OTP v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1a,zzzz"));
    EXPECT_FALSE(matches("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    EXPECT_FALSE(matches("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    EXPECT_FALSE(matches("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE"));
    EXPECT_FALSE(matches("v1,"));
}

TEST(StandardWebhooks, RefuseATimeMoreThanFiveMinutesAway_S43_S47) {
    const auto matches = [](TimeMs now) {
        return standard_webhooks_scheme().matches(published_request(), published, now);
    };
    EXPECT_TRUE(matches(published_at + 300'000));
    EXPECT_TRUE(matches(published_at - 300'000));
    EXPECT_FALSE(matches(published_at + 301'000));
    EXPECT_FALSE(matches(published_at - 301'000));
}

TEST(StandardWebhooks, RefuseAnIdOrATimeThatIsNone_S43) {
    const SignatureSettings settings{.secrets = {"secret"}};
    for (const char* id : {"", "msg.1", "1614265330.", "a.1614265330.b"}) {
        SCOPED_TRACE(id);
        Request request{.url = "https://hub.example/x", .body = "{}", .headers = {}};
        request.headers["webhook-id"] = id;
        standard_webhooks_scheme().sign(request, settings, published_at);
        const HttpRequest received =
            post("{}", {{"webhook-id", id},
                        {"webhook-timestamp", request.headers["webhook-timestamp"]},
                        {"webhook-signature", request.headers["webhook-signature"]}});
        EXPECT_FALSE(standard_webhooks_scheme().matches(received, settings, published_at));
    }
    for (const char* time : {"", "+1614265330", "-1614265330", "1614265330 ", "1614265330.0",
                             "0x60377c32", "99999999999999999999"}) {
        SCOPED_TRACE(time);
        EXPECT_FALSE(standard_webhooks_scheme().matches(published_request("msg_1", "v1,AAAA", time),
                                                        published, published_at));
    }
}

TEST(StandardWebhooks, CannotUseASecretWhoseBase64IsBroken_S45) {
    EXPECT_TRUE(standard_webhooks_scheme().is_usable(published.secrets[0]));
    EXPECT_TRUE(standard_webhooks_scheme().is_usable("any other text"));
    EXPECT_FALSE(standard_webhooks_scheme().is_usable("whsec_not base64"));
    EXPECT_FALSE(standard_webhooks_scheme().is_usable("whsec_"));
}

}  // namespace
}  // namespace patchbay

// Takes the place of OpenSSL's for this program: what base/crypto.hpp compares with, counted.
extern "C" int CRYPTO_memcmp(const void* a, const void* b, size_t count) {
    ++patchbay::comparisons;
    const auto* left = static_cast<const volatile unsigned char*>(a);
    const auto* right = static_cast<const volatile unsigned char*>(b);
    unsigned char difference = 0;
    for (size_t i = 0; i < count; ++i) difference |= left[i] ^ right[i];
    return difference;
}
