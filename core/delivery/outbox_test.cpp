#include "delivery/outbox.hpp"

#include "delivery/delivery_fixture.hpp"
#include "messaging/consent.hpp"
#include "messaging/contacts.hpp"
#include "messaging/conversations.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const Statement count_all{"test.count_all",
                          "SELECT (SELECT COUNT(*) FROM contacts)+(SELECT COUNT(*) FROM "
                          "conversations)+(SELECT COUNT(*) FROM messages)+(SELECT COUNT(*) FROM "
                          "jobs)+(SELECT COUNT(*) FROM lanes)",
                          {},
                          true};
const Statement count_messages{"test.count_messages", "SELECT COUNT(*) FROM messages", {}, true};
const Statement count_jobs{"test.count_jobs", "SELECT COUNT(*) FROM jobs", {}, true};

class Outboxes : public SenderTest {
protected:
    Draft draft(const std::string& to, const std::string& text = "hello") {
        Draft made;
        made.channel = "sms";
        made.to = Address::phone(to);
        made.text = text;
        return made;
    }
    std::string refusal(const Draft& refused) {
        try {
            queue(refused);
            return "none";
        } catch (const SendRefused& reason) {
            return reason.code;
        }
    }
    size_t rows_in(const Statement& count) {
        return static_cast<size_t>(
            store.read([&](Session& session) { return session.first(count)->number(0); }));
    }
    void hear_from(const std::string& number) {
        store.write([&](Transaction& tx) {
            const ContactRef contact =
                find_or_create_contact(tx, mint, Address::phone(number), "Ann", clock.now_ms());
            const ConversationRef conversation =
                find_or_create_conversation(tx, mint,
                                            {.channel = "sms",
                                             .contact_id = contact.contact_id,
                                             .address_id = contact.address_id,
                                             .at = clock.now_ms()});
            append_message(tx, mint,
                           {.conversation_id = conversation.id,
                            .channel = "sms",
                            .direction = "in",
                            .sender_type = "guest",
                            .body = "hi",
                            .status = "received"},
                           clock.now_ms());
        });
    }
    const std::string ann_ = "+15558675310";
};

TEST_F(Outboxes, MakeAConversationOnceAndNumberItsMessages_G5) {
    const QueuedMessage first = queue(draft(ann_));
    const QueuedMessage second = queue(draft(ann_));
    EXPECT_TRUE(first.conversation_created);
    EXPECT_FALSE(second.conversation_created);
    EXPECT_EQ(first.conversation_id, second.conversation_id);
    EXPECT_EQ(first.seq, 1);
    EXPECT_EQ(second.seq, 2);
    EXPECT_EQ(job_state(first.job_id), "ready");
    EXPECT_EQ(job_state(second.job_id), "waiting");
    EXPECT_EQ(status_of(second.message_id), "queued");
    expect_sound();
}

TEST_F(Outboxes, StoreNothingOfWhatTheyRefuse) {
    store.write([&](Transaction& tx) {
        set_consent(tx, ids,
                    {Address::phone(ann_), "sms", "out", "word", "", "guest", clock.now_ms()});
    });
    Draft too_long = draft("+15558675311", std::string(1601, 'x'));
    too_long.limits.text_chars = 1600;
    Draft with_file = draft("+15558675311");
    with_file.media = {{.type = "image/png", .url = "https://x.test/1"}};
    with_file.limits.media = 0;
    Draft nowhere = draft("");
    Draft unknown_room = draft("");
    unknown_room.conversation_id = "0193a1c2-0000-7000-8000-000000000000";
    EXPECT_EQ(refusal(draft(ann_)), "recipient_opted_out");
    EXPECT_EQ(refusal(too_long), "text_too_long");
    EXPECT_EQ(refusal(with_file), "unsupported_media");
    EXPECT_EQ(refusal(nowhere), "not_found");
    EXPECT_EQ(refusal(unknown_room), "not_found");
    EXPECT_EQ(rows_in(count_all), 0u);
}

TEST_F(Outboxes, CountCharactersNotBytes) {
    Draft umlauts = draft(ann_, "ÄÖÜ");
    umlauts.limits.text_chars = 3;
    EXPECT_EQ(refusal(umlauts), "none");
}

TEST_F(Outboxes, CloseTheWindowADayAfterTheLastWordOfTheContact) {
    Draft in_window = draft(ann_);
    in_window.limits.session_window = 24h;
    EXPECT_EQ(refusal(in_window), "none") << "never heard from: the provider decides";
    hear_from(ann_);
    clock.advance(24h);
    EXPECT_EQ(refusal(in_window), "none");
    clock.advance(1ms);
    EXPECT_EQ(refusal(in_window), "window_closed");
    in_window.from_template = Template{.name = "hello", .language = "en"};
    EXPECT_EQ(refusal(in_window), "none");
}

TEST_F(Outboxes, AnswerARepeatedReferenceWithTheEarlierMessage) {
    Draft once = draft(ann_);
    once.client_ref = "order-7";
    const QueuedMessage first = queue(once);
    const QueuedMessage again = queue(once);
    EXPECT_FALSE(first.repeated);
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(again.message_id, first.message_id);
    EXPECT_EQ(rows_in(count_messages), 1u);
    EXPECT_EQ(rows_in(count_jobs), 1u);
}

TEST_F(Outboxes, CancelWhatHasNotLeftAndLetTheNextOneGo) {
    const QueuedMessage first = queue(draft(ann_));
    const QueuedMessage second = queue(draft(ann_));
    const auto cancel = [&](const QueuedMessage& message) {
        return store.write([&](Transaction& tx) {
            return cancel_message(tx, message.message_id, clock.now_ms());
        });
    };
    EXPECT_TRUE(cancel(first));
    EXPECT_EQ(status_of(first.message_id), "cancelled");
    EXPECT_EQ(job_state(second.job_id), "ready");
    ASSERT_TRUE(send_next());
    EXPECT_FALSE(cancel(second)) << "it has left";
    EXPECT_EQ(status_of(second.message_id), "accepted");
    expect_sound();
}

TEST_F(Outboxes, RefuseAClosedConversation) {
    const QueuedMessage first = queue(draft(ann_));
    static const Statement close{"test.close", "UPDATE conversations SET state='closed'", {}, true};
    store.write([&](Transaction& tx) { tx.run(close); });
    Draft more = draft("");
    more.conversation_id = first.conversation_id;
    EXPECT_EQ(refusal(more), "conversation_closed");
    EXPECT_TRUE(queue(draft(ann_)).conversation_created) << "to the address: a new conversation";
}

}  // namespace
}  // namespace patchbay
