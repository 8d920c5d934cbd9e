// What the tests of this folder share: the API over a real store, called without a socket.
#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <future>

#include "api/api.hpp"
#include "base/json.hpp"
#include "http/stages.hpp"
#include "messaging/contacts.hpp"
#include "messaging/conversations.hpp"
#include "messaging/messages.hpp"
#include "store/migrations.hpp"

namespace patchbay {

inline const std::string test_password = "correct horse battery";

/// An answer with its JSON.
struct Answer {
    Response response;
    JsonObject json;  ///< {} when the body is none.

    int status() const { return response.status; }
    /// Empty when absent or null.
    std::string text(const std::string& path) const { return text_at(json, path).value_or(""); }
    size_t count(const std::string& path) const {
        const JsonValue value = value_at(json, path);
        return value.type() == typeid(JsonArray) ? value.extract<JsonArray>()->size() : 0;
    }
};

class ApiTest : public testing::Test {
protected:
    ApiTest() {
        config_.auth.token_keys = {"0123456789abcdef0123456789abcdef"};
        config_.departments = {"Reception", "Housekeeping", "Room Service", "Management"};
        config_.server.public_url = "https://hub.example";
        config_.plugins.resize(2);
        config_.plugins[0].name = "sms";
        config_.plugins[0].plugin = "twilio_sms";
        config_.plugins[1].name = "whatsapp";
        config_.plugins[1].plugin = "twilio_whatsapp";
        context_.wake = [this](const std::string& queue) { woken_.push_back(queue); };
        add_api_routes(router_, context_);
    }
    ~ApiTest() override { std::filesystem::remove_all(folder_); }

    struct Call {
        std::string method = "GET", target, body{}, token{};
        std::vector<HttpHeader> headers{};
        std::string raw_body{};  ///< Of another type, with headers of its own.
    };
    Answer call(const Call& wanted) {
        Answer out{raw(wanted), make_object()};
        if (out.response.header("content-type").find("json") != std::string::npos) {
            out.json = parse_json_object(std::string_view(out.response.body));
        }
        return out;
    }
    Response raw(const Call& wanted) {
        HttpRequest request;
        request.method = wanted.method;
        request.target = wanted.target;
        const size_t mark = std::min(wanted.target.find('?'), wanted.target.size());
        request.path = wanted.target.substr(0, mark);
        if (mark < wanted.target.size()) request.query = wanted.target.substr(mark + 1);
        request.headers = wanted.headers;
        request.peer = "192.0.2.1";
        if (!wanted.body.empty()) {
            request.headers.push_back({"Content-Type", "application/json"});
            request.headers.push_back({"Content-Length", std::to_string(wanted.body.size())});
            request.body = wanted.body;
        }
        if (!wanted.raw_body.empty()) request.body = wanted.raw_body;
        if (!wanted.token.empty()) {
            request.headers.push_back({"Authorization", "Bearer " + wanted.token});
        }
        const auto answer = std::make_shared<std::promise<Response>>();
        auto result = answer->get_future();
        RequestPipeline{answer_errors, find_route(router_),         check_body,
                        check_query,   authenticate_api(identity_), authorise()}
            .run(std::make_shared<Exchange>(std::move(request), "req-1", [answer](Response made) {
                answer->set_value(std::move(made));
            }));
        return result.get();
    }
    Answer get(const std::string& target, const std::string& token) {
        return call({.target = target, .token = token});
    }
    Answer post(const std::string& target, const std::string& body, const std::string& token,
                const std::string& key = {}) {
        Call wanted{.method = "POST", .target = target, .body = body, .token = token};
        if (!key.empty()) wanted.headers.push_back({"Idempotency-Key", key});
        return call(wanted);
    }

    /// A user of this role with a valid token.
    std::string token_for(const std::string& role, std::vector<std::string> departments = {}) {
        const std::string email = role + std::to_string(++people_) + "@x.org";
        const std::string phc = identity_.passwords().hash(test_password);
        store_.write([&](Transaction& tx) {
            add_user(tx, ids_, {email, "A " + role, role, departments, phc}, clock_.now_ms());
        });
        return identity_.token_for(email, {}).token;
    }

    struct Talk {
        std::string number;
        std::optional<std::string> department{};
        std::string kind = "general";
        std::string channel = "sms";
    };
    /// A conversation with one inbound message; returns its id.
    std::string talk(const Talk& wanted, const std::string& text = "Hello") {
        clock_.advance(std::chrono::seconds{1});
        const TimeMs now = clock_.now_ms();
        return store_.write([&](Transaction& tx) {
            const ContactRef contact =
                find_or_create_contact(tx, mint_, Address::phone(wanted.number), "Ann Lee", now);
            const auto conversation = find_or_create_conversation(tx, mint_,
                                                                  {.channel = wanted.channel,
                                                                   .contact_id = contact.contact_id,
                                                                   .address_id = contact.address_id,
                                                                   .purpose = "",
                                                                   .mode = "flow",
                                                                   .kind = wanted.kind,
                                                                   .department = wanted.department,
                                                                   .at = now});
            append_message(tx, mint_,
                           {.conversation_id = conversation.id,
                            .channel = wanted.channel,
                            .direction = "in",
                            .sender_type = "guest",
                            .peer = wanted.number,
                            .body = text,
                            .status = "received"},
                           now);
            return conversation.id;
        });
    }

    std::filesystem::path folder_ = [] {
        std::string name = testing::TempDir() + "patchbay_api_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
    ManualClock clock_;
    HubConfig config_ = [this] {
        HubConfig config;
        config.auth.token_keys = {"0123456789abcdef0123456789abcdef"};
        config.base = folder_;
        config.server.public_url = "https://hub.example";
        return config;
    }();
    Store store_{{.url = "sqlite:test.db", .base = folder_, .ballast_bytes = 0}, clock_};
    const bool migrated_ = (store_.migrate("core", core_migrations()), true);
    Ids ids_{clock_};
    Numbers numbers_{store_};
    Mint mint_{ids_, numbers_};
    const CurrentConfig current_config_{config_};
    Identity identity_{current_config_, store_, ids_, ScryptCost{.log2_n = 4, .r = 8, .p = 1}};
    std::vector<std::string> woken_;
    const Sealer sealer_{config_.auth.token_keys};
    ApiContext context_{current_config_, store_, identity_, mint_, sealer_};
    Router router_;
    int people_ = 0;
};

}  // namespace patchbay
