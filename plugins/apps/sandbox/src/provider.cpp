#include "provider.hpp"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Parser.h>

#include <patchbay/text.hpp>
#include <sstream>
#include <twilio/json.hpp>
#include <twilio/signature.hpp>

#include "whatsapp.hpp"

namespace patchbay::sandbox {
namespace {

constexpr milliseconds until_sent{20}, until_end{60}, until_read{100};

// One repeat when nobody answers, as Twilio does unless the URL asks for more.
// Source: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
constexpr int repeats = 1;
constexpr milliseconds until_repeat{1'000};

Response json_answer(int status, const Poco::JSON::Object& object) {
    std::ostringstream body;
    object.stringify(body);
    return {status, body.str(), {{"Content-Type", "application/json"}}};
}

Response problem(int status, const std::string& text) {
    Poco::JSON::Object object;
    object.set("error", text);
    return json_answer(status, object);
}

Form status_form(const Message& message) {
    Form form{{"ApiVersion", "2010-04-01"}, {"MessageStatus", message.status},
              {"SmsSid", message.sid},      {"SmsStatus", message.status},
              {"To", message.to},           {"From", message.from},
              {"MessageSid", message.sid},  {"AccountSid", message.account_sid}};
    form.add_unless_empty("MessagingServiceSid", message.messaging_service_sid);
    form.add_unless_empty("ErrorCode", message.error_code);
    if (is_whatsapp(message.to)) add_whatsapp_status(form, message);
    return form;
}

Form message_form(const Message& message) {
    Form form{{"ToCountry", ""},
              {"FromCountry", ""},
              {"SmsMessageSid", message.sid},
              {"SmsSid", message.sid},
              {"MessageSid", message.sid},
              {"SmsStatus", "received"},
              {"NumMedia", std::to_string(message.media.size())},
              {"Body", message.body},
              {"To", message.to},
              {"From", message.from},
              {"NumSegments", "1"},
              {"AccountSid", message.account_sid},
              {"ApiVersion", "2010-04-01"}};
    for (size_t i = 0; i < message.media.size(); ++i) {
        form.add("MediaUrl" + std::to_string(i), message.media[i]);
        form.add("MediaContentType" + std::to_string(i), "image/jpeg");
    }
    return form;
}

std::vector<std::string> texts_at(const Poco::JSON::Object& object, const std::string& key) {
    std::vector<std::string> texts;
    if (!object.isArray(key)) return texts;
    for (const auto& item : *object.getArray(key)) {
        if (item.isString()) texts.push_back(item.extract<std::string>());
    }
    return texts;
}

Reply by_rule(const Rule& rule, Response response) {
    for (const auto& [name, value] : rule.headers) response.headers[name] = value;
    switch (rule.drop) {
        case Drop::none:
            return {response, Answered::whole};
        case Drop::half:
            return {response, Answered::half};
        default:
            return {response, Answered::none};
    }
}

Response receipts(const Ledger& ledger) {
    Poco::JSON::Array::Ptr messages = new Poco::JSON::Array;
    for (const Message& message : ledger.all()) messages->add(receipt_json(message));
    Poco::JSON::Object object;
    object.set("messages", messages);
    return json_answer(200, object);
}

}  // namespace

Provider::Provider(const Config& config, Host host)
    : config_(config),
      host_(std::move(host)),
      ledger_(static_cast<uint64_t>(config.seed)),
      api_({config.account_sid, config.auth_token, config.numbers}, ledger_,
           [this] { return host_.now_ms(); }),
      later_(4) {}

Reply Provider::answer(const Request& request) try {
    const std::string path = request.url.substr(0, request.url.find('?'));
    if (path.starts_with("/_sandbox/")) return {answer_switch(request, path)};
    return answer_twilio(request, path);
} catch (const RequestError& error) {
    return {problem(error.http_status(), error.what())};
} catch (const std::exception& error) {
    return {problem(500, error.what())};
}

void Provider::stop() {
    {
        std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    wake_.notify_all();
}

void Provider::wait(milliseconds delay) {
    std::unique_lock lock{mutex_};
    wake_.wait_for(lock, delay, [this] { return stopping_; });
}

Reply Provider::answer_twilio(const Request& request, const std::string& path) {
    const Rule rule = rules_.take(request.method, path).value_or(Rule{});
    wait(rule.delay);
    if (rule.drop == Drop::before) return {{}, Answered::none};
    if (rule.status != 0) {
        return by_rule(rule, {rule.status, rule.body, {{"Content-Type", rule.type}}});
    }
    std::string taken;
    const Reply reply = by_rule(rule, api_.answer(request, taken));
    if (taken.empty()) return reply;
    if (reply.answered != Answered::whole) ledger_.mark_answer_lost(taken);
    report_later(*ledger_.find(taken), rule);
    return reply;
}

Response Provider::answer_switch(const Request& request, const std::string& path) {
    const std::string what = request.method + " " + path.substr(sizeof "/_sandbox/" - 1);
    Poco::JSON::Object object;
    if (what == "GET messages") return receipts(ledger_);
    if (what == "POST inbound") return customer_writes(request.body);
    if (what == "POST rules") {
        object.set("rules", rules_.add(parse_rule(request.body)));
    } else if (what == "DELETE rules") {
        rules_.clear();
    } else if (what == "DELETE messages") {
        ledger_.forget();
    } else {
        return problem(404, "no such switch");
    }
    return json_answer(200, object);
}

Response Provider::customer_writes(const std::string& json) {
    const auto given = twilio::parse_object(json);
    if (!given) return problem(400, "expected a JSON object");
    const int64_t now = host_.now_ms();
    Message message{
        .sid = twilio::text_at(*given, "sid"),
        .account_sid = config_.account_sid,
        .from = twilio::text_at(*given, "from"),
        .to = twilio::text_at(*given, "to"),
        .body = twilio::text_at(*given, "text"),
        .direction = "inbound",
        .status = "received",
        .media = texts_at(*given, "media"),
        .created_ms = now,
        .sent_ms = now,
        .updated_ms = now,
    };
    const bool whatsapp = is_whatsapp(message.from);
    if (message.from.empty()) return problem(400, "\"from\" is missing");
    for (const std::string& number : config_.numbers) {
        if (message.to.empty() && is_whatsapp(number) == whatsapp) message.to = number;
    }
    if (message.to.empty()) return problem(400, "\"to\" is missing");
    const std::string& url = whatsapp ? config_.whatsapp_url : config_.hub_url;

    // A given sid is the same message once more, as Twilio repeats it.
    if (message.sid.empty()) message = ledger_.take(std::move(message));
    Form form = message_form(message);
    if (whatsapp) {
        // Words such as STOP are the hub's alone to follow: Twilio keeps no list for WhatsApp.
        add_whatsapp_fields(form, message, twilio::text_at(*given, "name"));
    } else {
        api_.note_consent(message.from, message.to, message.body);
    }
    Poco::JSON::Object answer{Poco::JSON_PRESERVE_KEY_ORDER};
    answer.set("sid", message.sid);
    try {
        const Response reply = post_signed(url, form);
        answer.set("status", reply.status);
        answer.set("body", reply.body);
        return json_answer(200, answer);
    } catch (const Error& error) {
        answer.set("error", error.what());
        return json_answer(502, answer);
    }
}

void Provider::report_later(const Message& message, const Rule& rule) {
    const bool is_late = rule.ends.empty() && is_outside_window(ledger_, message);
    const std::string end = is_late ? "undelivered" : rule.ends.empty() ? "delivered" : rule.ends;
    const std::string code = is_late ? "63016" : rule.error_code, sid = message.sid;
    if (end == "queued") return;
    if (end != "failed") {
        later_.run_after(until_sent, [this, sid] { report(sid, "sent", "", repeats); });
    }
    if (end == "read") {
        later_.run_after(until_end, [this, sid] { report(sid, "delivered", "", repeats); });
        later_.run_after(until_read, [this, sid] { report(sid, "read", "", repeats); });
    } else if (end != "sent") {
        later_.run_after(until_end, [this, sid, end, code] { report(sid, end, code, repeats); });
    }
}

void Provider::report(const std::string& sid, const std::string& status,
                      const std::string& error_code, int tries_left) try {
    ledger_.set_status(sid, status, error_code, host_.now_ms());
    auto message = ledger_.find(sid);
    if (!message || message->status_callback.empty()) return;
    message->status = status;  // Another report may have changed it already.
    message->error_code = error_code;
    post_signed(message->status_callback, status_form(*message));
} catch (const Error& error) {
    if (tries_left == 0 || error.kind == ErrorKind::stopping) return;
    later_.run_after(until_repeat, [this, sid, status, error_code, tries_left] {
        report(sid, status, error_code, tries_left - 1);
    });
}

Response Provider::post_signed(const std::string& url, const Form& form) const {
    // A fragment holds wishes for the call; it is neither sent nor signed.
    const std::string target = url.substr(0, url.find('#'));
    const std::string signature =
        host_.hmac("sha1", config_.auth_token, twilio::signed_text(target, form));
    return host_.http({}, {.method = "POST",
                           .url = target,
                           .body = form.encode(),
                           .headers = {{"content-type", "application/x-www-form-urlencoded"},
                                       {"user-agent", "TwilioProxy/1.1"},
                                       {"x-twilio-signature", to_base64(signature)}}});
}

}  // namespace patchbay::sandbox
