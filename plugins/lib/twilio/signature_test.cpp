#include "signature.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <patchbay/text.hpp>

#include "json.hpp"
#include "vectors_for_test.hpp"

namespace patchbay::twilio {
namespace {

std::string signature(const std::string& token, const std::string& text) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(EVP_sha1(), token.data(), static_cast<int>(token.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return to_base64({reinterpret_cast<const char*>(mac), size});
}

TEST(TwilioSignature, IsWhatTwilioPublished) {
    const Form form = Form::parse(
        "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&"
        "To=%2B18005551212");
    const std::string text = signed_text("https://mycompany.com/myapp.php?foo=1&bar=2", form);
    EXPECT_EQ(signature("12345", text), "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
}

TEST(TwilioSignature, TakesEachDifferentValueOfANameOnce) {
    const Form form{{"b", "2"}, {"a", "x"}, {"b", "1"}, {"b", "2"}, {"B", ""}};
    EXPECT_EQ(signed_text("u", form), "uBaxb1b2");
}

TEST(TwilioSignature, IsTheOneOfEverySharedWebhook) {
    int rows = 0;
    const auto cases = shared_cases("contracts/vectors/twilio-webhooks.json");
    if (cases.empty()) GTEST_SKIP();
    for (const auto& given : cases) {
        SCOPED_TRACE("S40 " + text_at(*given, "name"));
        ++rows;
        const Form form = form_of_pairs(*given->getArray("params"));
        EXPECT_EQ(
            signature(text_at(*given, "auth_token"), signed_text(text_at(*given, "url"), form)),
            text_at(*given->getObject("headers"), "X-Twilio-Signature"));
    }
    EXPECT_EQ(rows, 58);
}

}  // namespace
}  // namespace patchbay::twilio
