#include <Poco/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <patchbay/form.hpp>
#include <patchbay/text.hpp>
#include <thread>
#include <twilio/json.hpp>
#include <twilio/signature.hpp>

#include "config.hpp"
#include "listener.hpp"
#include "loaded_sandbox.hpp"

namespace patchbay::sandbox {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;
using twilio::parse_object;
using twilio::text_at;
using namespace std::chrono_literals;

const std::string account = "AC00000000000000000000000000000001", token = "sandbox_auth_token";
const std::string number = "+15005550006", customer = "+15558675310";

// Stands where the hub is: keeps the webhooks that come, after checking who signed them.
class Hooks {
public:
    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(listener_.port()) +
               "/hooks/sms/status?message=1";
    }
    /// The first `count` calls get no answer.
    void stay_silent(int count) { silent_ = count; }

    std::vector<Form> wait_for(size_t count) {
        std::unique_lock lock{mutex_};
        EXPECT_TRUE(arrived_.wait_for(lock, 20s, [&] { return forms_.size() >= count; }));
        return forms_;
    }

private:
    Reply take(const Request& request) {
        std::lock_guard lock{mutex_};
        if (silent_ > 0) {
            --silent_;
            return {{}, Answered::none};
        }
        const Form form = Form::parse(request.body);
        const std::string signed_url =
            "http://127.0.0.1:" + std::to_string(listener_.port()) + request.url;
        const std::string expected =
            to_base64(hmac_sha1(token, twilio::signed_text(signed_url, form)));
        EXPECT_EQ(request.header("x-twilio-signature"), expected);
        forms_.push_back(form);
        arrived_.notify_all();
        return {{200, "<Response/>", {{"content-type", "text/xml"}}}};
    }

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<Form> forms_;
    int silent_ = 0;
    Listener listener_{"127.0.0.1:0", [this](const Request& request) { return take(request); }};
};

struct SandboxPlugin : testing::Test {
    Hooks hooks;
    LoadedSandbox sandbox{{{"hub_url", hooks.url()}, {"numbers[]", "1"}, {"numbers[0]", number}}};

    Response send(const std::string& text = "hello") {
        const Form form{
            {"To", customer}, {"From", number}, {"Body", text}, {"StatusCallback", hooks.url()}};
        return http({.method = "POST",
                     .url = sandbox.url() + "/2010-04-01/Accounts/" + account + "/Messages.json",
                     .body = form.encode(),
                     .headers = {{"authorization", "Basic " + to_base64(account + ":" + token)},
                                 {"content-type", "application/x-www-form-urlencoded"}}});
    }
    Poco::JSON::Object::Ptr use(const std::string& method, const std::string& name,
                                const std::string& body = "") {
        const Response reply =
            http({.method = method, .url = sandbox.url() + "/_sandbox/" + name, .body = body});
        auto json = parse_object(reply.body);
        json->set("http", reply.status);
        return json;
    }
    Poco::JSON::Object::Ptr receipt(unsigned place) {
        return use("GET", "messages")->getArray("messages")->getObject(place);
    }
};

std::vector<std::string> values_of(const std::vector<Form>& forms, const char* name) {
    std::vector<std::string> values;
    for (const Form& form : forms) values.push_back(form.value_or(name, ""));
    return values;
}

TEST_F(SandboxPlugin, TakesAMessageAndReportsItSigned) {
    const Response reply = send();
    ASSERT_EQ(reply.status, 201);
    const std::string sid = text_at(*parse_object(reply.body), "sid");
    const auto forms = hooks.wait_for(2);
    EXPECT_THAT(values_of(forms, "MessageStatus"), UnorderedElementsAre("sent", "delivered"));
    EXPECT_THAT(values_of(forms, "MessageSid"), ElementsAre(sid, sid));
    EXPECT_THAT(values_of(forms, "AccountSid"), ElementsAre(account, account));
    EXPECT_EQ(text_at(*receipt(0), "status"), "delivered");
}

TEST_F(SandboxPlugin, BringsWhatACustomerWrites) {
    const auto answer =
        use("POST", "inbound",
            R"({"from":"+15558675310","text":"Grüße & +1","media":["https://a/1"]})");
    EXPECT_EQ(text_at(*answer, "status"), "200") << text_at(*answer, "error");
    const auto forms = hooks.wait_for(1);
    EXPECT_EQ(forms[0].require("From"), customer);
    EXPECT_EQ(forms[0].require("To"), number);
    EXPECT_EQ(forms[0].require("Body"), "Grüße & +1");
    EXPECT_EQ(forms[0].require("MediaUrl0"), "https://a/1");
    EXPECT_EQ(forms[0].require("MessageSid"), text_at(*answer, "sid"));
    // Once more: the same message, as Twilio repeats it.
    use("POST", "inbound",
        R"({"from":"+15558675310","text":"Grüße & +1","sid":")" + text_at(*answer, "sid") + "\"}");
    EXPECT_EQ(hooks.wait_for(2)[1].require("MessageSid"), text_at(*answer, "sid"));
}

TEST_F(SandboxPlugin, KeepsTheStopOfACustomer) {
    use("POST", "inbound", R"({"from":"+15558675310","text":"STOP"})");
    EXPECT_EQ(text_at(*parse_object(send().body), "code"), "21610");
}

TEST_F(SandboxPlugin, LosesTheAnswerButNotTheMessageF20) {
    for (const char* drop : {"after", "half"}) {
        SCOPED_TRACE(drop);
        use("DELETE", "messages");
        use("POST", "rules", std::string{R"({"drop":")"} + drop + "\"}");
        EXPECT_THROW(send(), Poco::Exception);
        EXPECT_EQ(text_at(*receipt(0), "body"), "hello");
        EXPECT_TRUE(receipt(0)->getValue<bool>("answer_lost"));
    }
    EXPECT_EQ(send().status, 201);
}

TEST_F(SandboxPlugin, DoesNothingWhenItDropsBefore) {
    use("POST", "rules", R"({"drop":"before"})");
    EXPECT_THROW(send(), Poco::Exception);
    EXPECT_EQ(use("GET", "messages")->getArray("messages")->size(), 0u);
}

TEST_F(SandboxPlugin, AnswersAsARuleSays) {
    use("POST", "rules",
        R"({"method":"POST","path":"Messages","status":503,"body":"busy","times":2})");
    for (int i = 0; i < 2; ++i) {
        const Response reply = send();
        EXPECT_EQ(reply.status, 503);
        EXPECT_EQ(reply.body, "busy");
    }
    EXPECT_EQ(send().status, 201);
}

TEST_F(SandboxPlugin, EndsAMessageAsARuleSays) {
    use("POST", "rules", R"({"ends":"undelivered","error_code":30003})");
    send();
    const auto forms = hooks.wait_for(2);
    EXPECT_THAT(values_of(forms, "MessageStatus"), UnorderedElementsAre("sent", "undelivered"));
    EXPECT_THAT(values_of(forms, "ErrorCode"), UnorderedElementsAre("", "30003"));
}

TEST_F(SandboxPlugin, RepeatsACallbackThatNobodyTook) {
    hooks.stay_silent(2);
    send();
    EXPECT_THAT(values_of(hooks.wait_for(2), "MessageStatus"),
                UnorderedElementsAre("sent", "delivered"));
}

TEST_F(SandboxPlugin, KeepsTheOrderInItsReceipts) {
    for (const char* text : {"a", "b", "c"}) send(text);
    for (unsigned i = 0; i < 3; ++i) {
        EXPECT_EQ(text_at(*receipt(i), "order"), std::to_string(i + 1));
        EXPECT_EQ(text_at(*receipt(i), "body"), std::string(1, static_cast<char>('a' + i)));
    }
}

TEST_F(SandboxPlugin, TellsWhatIsWrongWithASwitch) {
    EXPECT_EQ(text_at(*use("POST", "rules", R"({"tmes":1})"), "http"), "400");
    EXPECT_EQ(text_at(*use("POST", "inbound", "{}"), "http"), "400");
    EXPECT_EQ(text_at(*use("POST", "inbound", "?"), "http"), "400");
    EXPECT_EQ(text_at(*use("POST", "else"), "http"), "404");
}

TEST_F(SandboxPlugin, UnloadsForGoodWithConnectionsAndCallbacksOpen) {
    // A client that keeps its connection, a request that a rule holds, and callbacks that are due.
    Poco::Net::HTTPClientSession kept{"127.0.0.1", Poco::URI{sandbox.url()}.getPort()};
    kept.setKeepAlive(true);
    Poco::Net::HTTPRequest head{"GET", "/_sandbox/messages", "HTTP/1.1"};
    kept.sendRequest(head);
    Poco::Net::HTTPResponse answer;
    std::string ignored;
    Poco::StreamCopier::copyToString(kept.receiveResponse(answer), ignored);
    send();
    use("POST", "rules", R"({"delay_ms":600000})");
    std::thread held{[&] {
        try {
            send();
        } catch (const Poco::Exception&) {
            // Whether it still gets its answer does not matter here.
        }
    }};
    // The first rule is used up when the held request has come: then only the others are counted.
    for (int others = 1;
         use("POST", "rules", R"({"path":"never"})")->getValue<int>("rules") != others;) {
        ++others;
    }
    sandbox.unload();
    held.join();
    EXPECT_FALSE(LoadedSandbox::is_mapped());
}

TEST(SandboxPluginLife, LeavesNothingBehindAfterManyLives) {
    for (int i = 0; i < 5; ++i) {
        LoadedSandbox sandbox{{}};
        http({.method = "GET", .url = sandbox.url() + "/_sandbox/messages"});
    }
    EXPECT_FALSE(LoadedSandbox::is_mapped());
}

TEST(SandboxPluginLife, DoesNotShareItsPort) {
    const LoadedSandbox first{{}};
    const std::string taken = first.url().substr(sizeof "http://" - 1);
    EXPECT_THROW(LoadedSandbox({{"listen", taken}}), std::runtime_error);
}

TEST(SandboxConfig, ListensOnLoopbackOnly) {
    for (const char* listen : {"0.0.0.0:8010", "10.0.0.1:8010", "127.0.0.1", "localhost:"}) {
        SCOPED_TRACE(listen);
        const Labels values{{"listen", listen}};
        detail::ConfigState state;
        state.values = &values;
        ConfigReader reader{state};
        read_config(reader);
        EXPECT_EQ(state.problems.count("listen"), 1u);
    }
}

}  // namespace
}  // namespace patchbay::sandbox
