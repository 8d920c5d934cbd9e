#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "inbound/signature_scheme.hpp"

namespace patchbay {
namespace {

bool twilio_signature_matches(const HttpRequest& request, const std::string& public_url,
                              const std::vector<std::string>& secrets) {
    return twilio_sha1_scheme().matches(request, {.public_url = public_url, .secrets = secrets}, 0);
}

HttpRequest request_of(const Poco::JSON::Object& row) {
    const std::string url = row.getValue<std::string>("url");
    HttpRequest request;
    request.method = row.getValue<std::string>("method");
    request.target = url.substr(url.find('/', url.find("://") + 3));
    request.body = row.optValue<std::string>("raw_body", "");
    if (!row.isNull("content_type")) {
        request.headers.push_back({"Content-Type", row.getValue<std::string>("content_type")});
    }
    request.headers.push_back({"X-Twilio-Signature", row.optValue<std::string>("signature", "")});
    return request;
}

// S40, S41: every vector, among them those that Twilio's own libraries publish.
TEST(TwilioSignature, AgreesWithEveryPublishedVector_S40_S41) {
    const std::filesystem::path file =
        PATCHBAY_SOURCE_DIR "/../shared/contracts/vectors/twilio-signatures.json";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "shared vectors are not here";
    std::ifstream in{file};
    const auto document = Poco::JSON::Parser{}.parse(in).extract<Poco::JSON::Object::Ptr>();
    const auto cases = document->getArray("cases");
    ASSERT_EQ(cases->size(), 60u);
    for (size_t i = 0; i < cases->size(); ++i) {
        const auto row = cases->getObject(i);
        SCOPED_TRACE(row->getValue<std::string>("name"));
        const std::string url = row->getValue<std::string>("url");
        const std::string base = url.substr(0, url.find('/', url.find("://") + 3));
        EXPECT_EQ(twilio_signature_matches(request_of(*row), base,
                                           {row->getValue<std::string>("auth_token")}),
                  row->getValue<bool>("valid"));
    }
}

HttpRequest published_request() {
    HttpRequest request;
    request.method = "POST";
    request.target = "/myapp.php?foo=1&bar=2";
    request.body =
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%"
        "2B18005551212";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                       {"X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="}};
    return request;
}

TEST(TwilioSignature, TakesTheOldSecretDuringARotation_S46) {
    EXPECT_TRUE(
        twilio_signature_matches(published_request(), "https://mycompany.com", {"new", "12345"}));
    EXPECT_FALSE(twilio_signature_matches(published_request(), "https://mycompany.com", {"new"}));
    EXPECT_FALSE(twilio_signature_matches(published_request(), "https://mycompany.com", {""}));
}

TEST(TwilioSignature, RefusesAMissingOrRepeatedHeader_S44) {
    HttpRequest twice = published_request();
    twice.headers.push_back(twice.headers.back());
    EXPECT_FALSE(twilio_signature_matches(twice, "https://mycompany.com", {"12345"}));
    HttpRequest none = published_request();
    none.headers.pop_back();
    EXPECT_FALSE(twilio_signature_matches(none, "https://mycompany.com", {"12345"}));
}

TEST(TwilioSignature, IgnoresWhatTheSenderCallsTheHost_S40) {
    HttpRequest request = published_request();
    request.headers.push_back({"Host", "evil.example"});
    request.headers.push_back({"X-Forwarded-Host", "evil.example"});
    EXPECT_TRUE(twilio_signature_matches(request, "https://mycompany.com", {"12345"}));
}

TEST(TwilioSignature, ForgivesAFinalSlashInTheConfiguredUrl) {
    EXPECT_TRUE(twilio_signature_matches(published_request(), "https://mycompany.com/", {"12345"}));
}

}  // namespace
}  // namespace patchbay
