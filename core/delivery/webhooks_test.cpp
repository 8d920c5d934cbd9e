// Outgoing webhooks against a receiver on this machine.
#include "delivery/webhooks.hpp"

#include <atomic>

#include "base/crypto.hpp"
#include "delivery/delivery_fixture.hpp"
#include "delivery/webhook_sender.hpp"
#include "http/loopback_test.hpp"
#include "messaging/changes.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const Statement test_hook_jobs{
    "test.hook_jobs",
    "SELECT state,last_error,run_at,attempt,payload,queue,id FROM jobs WHERE kind='webhook' ORDER "
    "BY id",
    {},
    true};

struct Received {
    std::string id, timestamp, signature, body;
};

class Webhooks : public DeliveryTest {
protected:
    Webhooks() {
        receiver.route({.name = "hook",
                        .method = "POST",
                        .path = "/hook",
                        .body = BodyKind::any,
                        .runs_on = RunsOn::reactor},
                       [this](const ExchangePtr& exchange) {
                           const HttpRequest& request = exchange->request();
                           const auto header = [&](const char* name) {
                               return std::string(request.header(name).value_or(""));
                           };
                           received.push_back({header("webhook-id"), header("webhook-timestamp"),
                                               header("webhook-signature"), request.body});
                           Response response{.status = answer_status};
                           if (!retry_after.empty()) response.headers["retry-after"] = retry_after;
                           exchange->answer(std::move(response));
                       });
        receiver.start();
    }

    std::string url() const {
        return "http://127.0.0.1:" + std::to_string(receiver.server->port()) + "/hook";
    }
    /// Its id; the secret is the fixture's.
    std::string add(std::vector<std::string> topics, const std::string& to = {}) {
        const std::string id = store.write([&](Transaction& tx) {
            const auto made = add_webhook(
                tx, ids, {.url = to.empty() ? url() : to, .created_by = "me", .topics = topics},
                clock.now_ms());
            set_webhook_secret(tx, sealer, made.value(), secret, clock.now_ms());
            return made.value();
        });
        feed.reload();
        return id;
    }
    Webhook get(const std::string& id) {
        return store.read([&](Session& session) { return find_webhook(session, id).value(); });
    }
    void happens(const char* what, const std::string& object) {
        store.write([&](Transaction& tx) { tx.note(what, object); });
    }
    Rows jobs() {
        return store.read([](Session& session) { return session.run(test_hook_jobs); });
    }
    /// One due job of the slot's queue; false when none is due.
    bool tell(int64_t slot = 1) {
        auto due = store.write([&](Transaction& tx) {
            return claim_jobs(tx, {"webhooks:" + std::to_string(slot), "me", 1}, clock.now_ms(),
                              clock.steady() + job_lease);
        });
        if (due.empty()) return false;
        sender.run(due.front());
        return true;
    }

    testing_http::TestServer receiver;
    std::vector<Received> received;  // Between calls of the test's thread only.
    std::atomic<int> answer_status{204};
    std::string retry_after;
    const std::string secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const Sealer sealer{{"0123456789abcdef0123456789abcdef"}};
    std::vector<std::string> woken;
    WebhookFeed feed{store, ids, [this](const std::string& queue) { woken.push_back(queue); }};
    HttpClient client{{.public_only = true, .allow_loopback = true}};
    bool object_is_gone = false, hub_stops = false;
    int pauses = 0;
    WebhookSender sender{
        {.store = store,
         .ids = ids,
         .client = client,
         .sealer = sealer,
         .owner = "me",
         .data = [this](Session&, const WebhookEvent& event) -> std::optional<JsonObject> {
             if (object_is_gone) return std::nullopt;
             JsonObject json = make_object();
             json->set("object", event.object);
             json->set("status", event.status);
             return json;
         },
         .paused =
             [this] {
                 ++pauses;
                 feed.reload();
             },
         .stopping = [this] { return hub_stops; }}};
};

// The vector of the standard's own libraries.
TEST_F(Webhooks, AreSignedAsStandardWebhooksSays) {
    EXPECT_EQ(webhook_signature({secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                                R"({"test": 2432232314})"),
              "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    const std::string made = make_webhook_secret();
    EXPECT_TRUE(made.starts_with("whsec_"));
    EXPECT_EQ(from_base64(made.substr(6))->size(), 24u);
}

TEST_F(Webhooks, AreOwedForWhatWasCommittedAndNothingElse) {
    add({"message.*"});
    happens(changes::message_created, "m1");
    happens(changes::conversation_created, "c1");
    happens(changes::delivery_changed, "1");
    EXPECT_THROW(store.write([](Transaction& tx) {
        tx.note(changes::message_created, "m2");
        throw std::runtime_error("rolled back");
    }),
                 std::runtime_error);
    ASSERT_EQ(jobs().size(), 1u);
    EXPECT_EQ(jobs()[0].text(0), "ready");
    EXPECT_EQ(WebhookEvent::from_payload(jobs()[0].text(4)).object, "m1");
    EXPECT_EQ(woken, std::vector<std::string>{"webhooks:1"});
}

TEST_F(Webhooks, TellEachOfThoseWhoWantItOnce) {
    add({"message.created"});
    add({"*"});
    add({"conversation.closed"});
    store.write([](Transaction& tx) {
        tx.note(changes::message_created, "m1");
        tx.note(changes::message_created, "m1");
        tx.note(changes::conversation_updated, "c1");
        tx.note(changes::delivery_changed, "1");
    });
    std::vector<std::string> queues;
    for (const Row& job : jobs()) queues.push_back(job.text(5));
    EXPECT_EQ(queues, (std::vector<std::string>{"webhooks:2", "webhooks:1", "webhooks:2"}));
}

TEST_F(Webhooks, CarryTheirTypeTimeDataAndSignature) {
    add({"*"});
    happens(changes::message_created, "m1");
    ASSERT_TRUE(tell());
    ASSERT_EQ(received.size(), 1u);
    const Received& one = received.front();
    const JsonObject body = parse_json_object(std::string_view(one.body));
    EXPECT_EQ(text_at(body, "type"), "message.created");
    EXPECT_EQ(text_at(body, "data.object"), "m1");
    EXPECT_TRUE(text_at(body, "timestamp"));
    EXPECT_EQ(one.id, "wh_" + std::to_string(jobs()[0].number(6)));
    EXPECT_EQ(one.timestamp, std::to_string(clock.now_ms() / 1000));
    EXPECT_EQ(one.signature, webhook_signature({secret}, one.id, one.timestamp, one.body));
    EXPECT_EQ(jobs()[0].text(0), "done");
    EXPECT_EQ(tries(), std::vector<std::string>{"accepted"});
}

TEST_F(Webhooks, TellAStatusAsItWasThen) {
    const std::string message = queue("+15558675310").message_id;
    add({"message.status"});
    store.write([&](Transaction& tx) {
        raise_status(tx, {"sms", message}, "sent", "", "", clock.now_ms());
    });
    store.write([&](Transaction& tx) {
        raise_status(tx, {"sms", message}, "read", "", "", clock.now_ms());
    });
    tell();
    tell();
    ASSERT_EQ(received.size(), 2u);
    EXPECT_NE(received[0].body.find(R"("status":"sent")"), std::string::npos) << received[0].body;
    EXPECT_NE(received[1].body.find(R"("status":"read")"), std::string::npos);
}

TEST_F(Webhooks, AreTriedAgainUnderTheSameIdUntilTheyAreTaken) {
    const std::string id = add({"*"});
    happens(changes::message_created, "m1");
    answer_status = 500;
    tell();
    EXPECT_EQ(jobs()[0].text(0), "ready");
    EXPECT_EQ(jobs()[0].text(1), "500: the receiver did not take it");
    const TimeMs delay = jobs()[0].number(2) - clock.now_ms();
    EXPECT_GE(delay, 4'000) << "5 s, give or take a fifth (guarantees section 8)";
    EXPECT_LE(delay, 6'000);
    EXPECT_FALSE(tell()) << "not before its time";
    EXPECT_TRUE(get(id).failing_since.has_value());
    clock.advance(7s);
    answer_status = 200;
    tell();
    ASSERT_EQ(received.size(), 2u);
    EXPECT_EQ(received[1].id, received[0].id);
    EXPECT_EQ(received[1].body, received[0].body);
    EXPECT_NE(received[1].signature, received[0].signature) << "the time is another";
    EXPECT_EQ(jobs()[0].text(0), "done");
    EXPECT_FALSE(get(id).failing_since.has_value());
}

TEST_F(Webhooks, WaitAsLongAsTheReceiverAsks) {
    add({"*"});
    happens(changes::message_created, "m1");
    answer_status = 429;
    retry_after = "120";
    tell();
    EXPECT_EQ(jobs()[0].number(2), clock.now_ms() + 120'000);
}

TEST_F(Webhooks, EndWithAReceiverThatIsGone) {
    const std::string id = add({"*"});
    happens(changes::message_created, "m1");
    happens(changes::message_created, "m2");
    answer_status = 410;
    tell();
    EXPECT_EQ(get(id).paused_reason, "the receiver answered 410 Gone");
    EXPECT_EQ(pauses, 1);
    tell();
    EXPECT_EQ(received.size(), 1u) << "what was queued is not told any more";
    EXPECT_EQ(jobs()[1].text(0), "cancelled");
    happens(changes::message_created, "m3");
    EXPECT_EQ(jobs().size(), 2u);
}

TEST_F(Webhooks, AreDisabledWhenTheWholeScheduleFailed) {
    const std::string id = add({"*"});
    happens(changes::message_created, "m1");
    answer_status = 503;
    for (int attempt = 1; attempt <= 12; ++attempt) {
        ASSERT_FALSE(get(id).paused_reason) << attempt;
        ASSERT_TRUE(tell()) << attempt;
        clock.advance(25h);
    }
    EXPECT_EQ(jobs()[0].text(0), "dead");
    const std::string reason = get(id).paused_reason.value_or("");
    EXPECT_TRUE(reason.starts_with("no delivery went well since ")) << reason;
    EXPECT_TRUE(reason.ends_with(": 503: the receiver did not take it")) << reason;
}

TEST_F(Webhooks, StayEnabledWhereOneEventAloneIsNeverTaken) {
    const std::string id = add({"*"});
    happens(changes::message_created, "m1");
    for (int attempt = 1; attempt <= 12; ++attempt) {
        answer_status = 500;
        ASSERT_TRUE(tell());
        if (attempt == 6) {
            answer_status = 200;
            happens(changes::message_created, "m2");
            ASSERT_TRUE(tell());
        }
        clock.advance(25h);
    }
    EXPECT_EQ(jobs()[0].text(0), "dead");
    EXPECT_EQ(get(id).paused_reason, std::nullopt);
}

TEST_F(Webhooks, AreSignedWithBothSecretsForADay) {
    const std::string id = add({"*"});
    const std::string next = make_webhook_secret();
    clock.advance(1h);
    store.write([&](Transaction& tx) { set_webhook_secret(tx, sealer, id, next, clock.now_ms()); });
    happens(changes::message_created, "m1");
    tell();
    const Received& both = received.at(0);
    EXPECT_EQ(both.signature,
              webhook_signature({next, secret}, both.id, both.timestamp, both.body));
    clock.advance(24h);
    happens(changes::message_created, "m2");
    tell();
    const Received& one = received.at(1);
    EXPECT_EQ(one.signature, webhook_signature({next}, one.id, one.timestamp, one.body));
}

TEST_F(Webhooks, KeepNoSecretInTheDatabaseS81) {
    const std::string id = add({"*"});
    static const Statement all{"test.secrets", "SELECT sealed FROM webhook_secrets", {}, true};
    const Rows rows = store.read([](Session& session) { return session.run(all); });
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].bytes(0).find("MfKQ9r8"), std::string::npos);
    // A key that was taken out of the configuration: nothing is sent unsigned.
    const Sealer other({"fedcba9876543210fedcba9876543210"});
    EXPECT_TRUE(store
                    .read([&](Session& session) {
                        return webhook_secrets(session, other, id, clock.now_ms());
                    })
                    .empty());
}

TEST_F(Webhooks, HoldAStopOfTheHubAgainstNobody) {
    const std::string id = add({"*"});
    happens(changes::message_created, "m1");
    client.stop();
    hub_stops = true;
    tell();
    EXPECT_EQ(jobs()[0].text(0), "ready");
    EXPECT_EQ(jobs()[0].number(3), 0) << "no attempt was spent";
    EXPECT_EQ(get(id).failing_since, std::nullopt);
}

TEST_F(Webhooks, SayNothingOfWhatIsNoMore) {
    const std::string id = add({"*"});
    happens(changes::message_created, "m1");
    object_is_gone = true;
    tell();
    EXPECT_EQ(jobs()[0].text(0), "cancelled");
    object_is_gone = false;
    happens(changes::message_created, "m2");
    store.write([&](Transaction& tx) { drop_webhook(tx, id); });
    tell();
    EXPECT_EQ(jobs()[1].text(0), "cancelled");
    EXPECT_TRUE(received.empty());
}

// S50: a name may lead elsewhere by the time it is called.
TEST_F(Webhooks, LeadNowhereButToTheOpenNetS50) {
    HttpClient strict{{.public_only = true}};
    WebhookSender careful{{.store = store,
                           .ids = ids,
                           .client = strict,
                           .sealer = sealer,
                           .owner = "me",
                           .data = [](Session&, const WebhookEvent&) { return make_object(); },
                           .paused = [] {}}};
    add({"*"});
    happens(changes::message_created, "m1");
    const auto due = store.write([&](Transaction& tx) {
        return claim_jobs(tx, {"webhooks:1", "me", 1}, clock.now_ms(), clock.steady() + job_lease);
    });
    careful.run(due.at(0));
    EXPECT_TRUE(received.empty());
    EXPECT_EQ(jobs()[0].text(0), "ready");
    EXPECT_NE(jobs()[0].text(1).find("forbidden"), std::string::npos) << jobs()[0].text(1);
}

TEST_F(Webhooks, AreAtMostSoMany) {
    for (size_t i = 0; i < most_webhooks; ++i) add({"*"}, "https://example.com/");
    const auto one_more = store.write(
        [&](Transaction& tx) { return add_webhook(tx, ids, {.topics = {"*"}}, clock.now_ms()); });
    EXPECT_EQ(one_more, std::nullopt);
    const std::string first = store.read([](Session& s) { return list_webhooks(s).back().id; });
    const int64_t slot = get(first).slot;
    store.write([&](Transaction& tx) { drop_webhook(tx, first); });
    EXPECT_EQ(get(add({"*"})).slot, slot) << "a place that is free again";
}

TEST(WebhookTopics, AreThoseThatAreNotedAndPatternsOfThem) {
    for (const char* good : {"*", "message.*", "conversation.*", "message.created", "read"}) {
        EXPECT_TRUE(is_topic_pattern(good)) << good;
    }
    for (const char* bad : {"", ".*", "mess*", "message.", "message.deleted", "guest.*", "**"}) {
        EXPECT_FALSE(is_topic_pattern(bad)) << bad;
    }
}

}  // namespace
}  // namespace patchbay
