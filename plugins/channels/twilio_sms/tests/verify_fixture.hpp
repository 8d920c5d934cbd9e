// The verification endpoints of the loaded plugin, and what a test asks of them.
#pragma once
#include <Poco/JSON/Object.h>
#include <gtest/gtest.h>

#include <chrono>
#include <patchbay/form.hpp>
#include <patchbay/testing.hpp>
#include <string>
#include <twilio/json.hpp>

namespace patchbay::twilio_sms {

using namespace std::chrono_literals;

inline const std::string phone = "+15558675310", own_number = "+14155552671";

inline Labels verify_config(Labels more) {
    Labels config{{"account_sid", "AC0123456789abcdef0123456789abcdef"},
                  {"auth_token", "a-token"},
                  {"default_from", own_number},
                  {"verify.allowed_countries[]", "2"},
                  {"verify.allowed_countries[0]", "US"},
                  {"verify.allowed_countries[1]", "DE"}};
    more.insert(config.begin(), config.end());
    return more;
}

inline const Labels with_twilio{{"verify.provider", "twilio"},
                                {"verify.service_sid", "VA0123456789abcdef0123456789abcdef"}};

struct Reply {
    int status = 0;
    std::string outcome, code;  ///< `code` of a problem.
    Poco::JSON::Object::Ptr json;
    Response response;
    int retry_after() const { return std::atoi(response.header("retry-after").c_str()); }
    std::string text(const char* key) const { return twilio::text_at(*json, key); }
};

struct VerifyEndpoints : testing::Test {
    explicit VerifyEndpoints(Labels config = {})
        : channel("twilio_sms", verify_config(std::move(config))) {
        channel.provider_answers(201, R"({"sid":"SM1","status":"queued"})");
    }

    Reply post(const std::string& route, const std::string& body) {
        const Response response = channel.answer({.route = route,
                                                  .method = "POST",
                                                  .body = body,
                                                  .user = "u1",
                                                  .id = "req-1",
                                                  .received_ms = 1});
        Reply reply{response.status, "", "", twilio::parse_object(response.body), response};
        if (!reply.json) reply.json = new Poco::JSON::Object;
        reply.outcome = reply.text("outcome");
        reply.code = reply.text("code");
        return reply;
    }
    Reply start(const std::string& to = phone, const std::string& more = "") {
        return post("verify_start", R"({"to_phone":")" + to + "\"" + more + "}");
    }
    Reply check(const std::string& code, const std::string& to = phone) {
        return post("verify_check", R"({"to_phone":")" + to + R"(","code":")" + code + "\"}");
    }
    /// The digits of the newest SMS.
    std::string sent_code() {
        const std::string text = Form::parse(channel.last_provider_request().body).require("Body");
        const size_t begin = text.find_first_of("0123456789");
        return text.substr(begin, text.find_first_not_of("0123456789", begin) - begin);
    }
    static std::string another(std::string code) {
        code.back() = code.back() == '9' ? '0' : static_cast<char>(code.back() + 1);
        return code;
    }
    /// Whether a text is in a log line, a metric's name or a label.
    bool is_told(const std::string& text) {
        for (const LogLine& line : channel.log()) {
            if (line.text.find(text) != std::string::npos) return true;
            for (const auto& [name, value] : line.fields)
                if (value.find(text) != std::string::npos) return true;
        }
        for (const std::string& label : channel.labels())
            if (label.find(text) != std::string::npos) return true;
        return false;
    }

    ChannelUnderTest channel;
};

}  // namespace patchbay::twilio_sms
