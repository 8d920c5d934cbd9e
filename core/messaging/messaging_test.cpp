#include <gtest/gtest.h>

#include "base/ids.hpp"
#include "messaging/consent.hpp"
#include "messaging/contacts.hpp"
#include "messaging/conversations.hpp"
#include "messaging/messages.hpp"
#include "messaging/status.hpp"
#include "messaging/views.hpp"
#include "store/migrations.hpp"

namespace patchbay {
namespace {

class Messaging : public testing::Test {
protected:
    ~Messaging() override { std::filesystem::remove_all(folder); }

    ConversationRef conversation_with(const std::string& number) {
        return store.write([&](Transaction& tx) {
            const ContactRef contact =
                find_or_create_contact(tx, mint, Address::phone(number), "Ann", clock.now_ms());
            return find_or_create_conversation(tx, mint,
                                               {.channel = "sms",
                                                .contact_id = contact.contact_id,
                                                .address_id = contact.address_id,
                                                .at = clock.now_ms()});
        });
    }
    StoredMessage inbound(const std::string& conversation, const std::string& text) {
        return store.write([&](Transaction& tx) {
            return append_message(tx, mint,
                                  {.conversation_id = conversation,
                                   .channel = "sms",
                                   .direction = "in",
                                   .sender_type = "guest",
                                   .body = text,
                                   .status = "received"},
                                  clock.now_ms());
        });
    }

    std::filesystem::path folder = [] {
        std::string name = testing::TempDir() + "messaging_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
    ManualClock clock;
    Store store{{.url = "sqlite:test.db", .base = folder}, clock};
    const bool migrated =
        (store.migrate("core", core_migrations()), true);  // Before the first number.
    Ids ids{clock};
    Numbers numbers{store};
    Mint mint{ids, numbers};
};

TEST_F(Messaging, TellsWhatBecomesOfAConversation) {
    const std::string id = conversation_with("+15558675310").id;
    inbound(id, "Hello");
    std::vector<std::string> told;
    store.on_changes([&](Changes&& changes) {
        for (const Change& change : changes) told.push_back(change.what + (" " + change.id));
    });
    const auto change = [&](const ConversationChanges& changes) {
        return store.write(
            [&](Transaction& tx) { return change_conversation(tx, id, changes, clock.now_ms()); });
    };
    EXPECT_EQ(change({.department = "Reception"}), Changed::done);
    EXPECT_EQ(change({.state = "closed"}), Changed::done);
    EXPECT_EQ(change({.state = "open"}), Changed::done);
    EXPECT_EQ(change({.mode = "relay", .if_version = 1}), Changed::stale);
    store.write([&](Transaction& tx) { mark_conversation_read(tx, id, "", 1, clock.now_ms()); });
    store.on_changes({});
    EXPECT_EQ(told,
              (std::vector<std::string>{"conversation.updated " + id, "conversation.closed " + id,
                                        "conversation.updated " + id, "read " + id}));
}

TEST_F(Messaging, OpensAClosedConversationAgainWhereThatIsWanted) {
    const std::string id = conversation_with("+15558675310").id;
    store.write(
        [&](Transaction& tx) { change_conversation(tx, id, {.state = "closed"}, clock.now_ms()); });
    const auto find = [&](bool reopen) {
        return store.write([&](Transaction& tx) {
            const ContactRef contact = find_or_create_contact(
                tx, mint, Address::phone("+15558675310"), "Ann", clock.now_ms());
            return find_or_create_conversation(tx, mint,
                                               {.channel = "sms",
                                                .contact_id = contact.contact_id,
                                                .address_id = contact.address_id,
                                                .at = clock.now_ms(),
                                                .reopen = reopen});
        });
    };
    const ConversationRef again = find(true);
    EXPECT_EQ(again.id, id);
    EXPECT_FALSE(again.created);
    store.write(
        [&](Transaction& tx) { change_conversation(tx, id, {.state = "closed"}, clock.now_ms()); });
    EXPECT_TRUE(find(false).created);
}

TEST_F(Messaging, FindsTheSameContactAndConversationAgain) {
    const ConversationRef first = conversation_with("+15558675310");
    const ConversationRef again = conversation_with("+15558675310");
    EXPECT_TRUE(first.created);
    EXPECT_FALSE(again.created);
    EXPECT_EQ(first.id, again.id);
    EXPECT_NE(conversation_with("+15558675311").id, first.id);
}

TEST_F(Messaging, KnowsAPersonUnderSeveralAddresses) {
    const Address phone = Address::phone("+15558675310"), other = Address::phone("+15558675311");
    const Address id{"user", "US.1349"};
    const auto find = [&](const Address& address, const std::vector<Address>& also) {
        return store.write([&](Transaction& tx) {
            return find_or_create_contact(tx, mint, address, also, "", clock.now_ms());
        });
    };
    const ContactRef by_id = find(id, {});
    EXPECT_TRUE(by_id.created);
    const ContactRef by_phone = find(phone, {id});
    EXPECT_EQ(by_phone.contact_id, by_id.contact_id);
    EXPECT_FALSE(by_phone.created);
    EXPECT_NE(by_phone.address_id, by_id.address_id);
    EXPECT_EQ(find(phone, {}).contact_id, by_id.contact_id);

    // What is somebody else's stays theirs.
    const ContactRef stranger = find(other, {id});
    EXPECT_EQ(stranger.contact_id, by_id.contact_id) << "the id had nobody else yet";
    const ContactRef third = find(Address::phone("+15558675312"), {});
    EXPECT_EQ(find(Address::phone("+15558675312"), {id}).contact_id, third.contact_id);
    EXPECT_EQ(find(id, {}).contact_id, by_id.contact_id);
}

TEST_F(Messaging, KnowsAPersonUnderBothFormsOfAMobileNumber) {
    const auto find = [&](const char* number) {
        return store.write([&](Transaction& tx) {
            return find_or_create_contact(tx, mint, Address::phone(number), "", clock.now_ms());
        });
    };
    const ContactRef known = find("+5541988887777");
    const ContactRef other = find("+554188887777");
    EXPECT_EQ(other.contact_id, known.contact_id);
    EXPECT_EQ(other.address, Address::phone("+5541988887777"));
    EXPECT_FALSE(other.created);
    EXPECT_TRUE(find("+554188887778").created);
}

TEST_F(Messaging, NumbersMessagesWithoutGapsAndKeepsTheInbox_G5) {
    const std::string id = conversation_with("+15558675310").id;
    for (int i = 1; i <= 3; ++i) EXPECT_EQ(inbound(id, "text " + std::to_string(i)).seq, i);
    const auto view = store.read([&](Session& s) { return find_conversation(s, id); });
    ASSERT_TRUE(view);
    EXPECT_EQ(view->unread, 3);
    EXPECT_EQ(view->preview, "text 3");
    EXPECT_EQ(view->contact_name, "Ann");
    EXPECT_EQ(view->address->value, "+15558675310");
}

TEST_F(Messaging, GivesEveryRowItsOwnNumberOverManyBlocks) {
    std::set<int64_t> seen;
    for (int i = 0; i < 25'000; ++i) {
        for (;;) {
            try {
                EXPECT_TRUE(seen.insert(numbers.next()).second);
                break;
            } catch (const StoreError&) {
                store.write([](Transaction&) {});  // Behind the reservation in the queue.
            }
        }
    }
    EXPECT_EQ(seen.size(), 25'000u);
}

TEST_F(Messaging, FindsAMessageByIdAndByNumberWithItsMedia) {
    const std::string conversation = conversation_with("+15558675310").id;
    const StoredMessage stored = store.write([&](Transaction& tx) {
        return append_message(tx, mint,
                              {.conversation_id = conversation,
                               .channel = "sms",
                               .direction = "in",
                               .sender_type = "guest",
                               .kind = "image",
                               .status = "received",
                               .media = {{.type = "image/jpeg", .url = "https://x.test/1"}}},
                              clock.now_ms());
    });
    for (const std::string& id : {stored.id, std::to_string(stored.number)}) {
        const auto view = store.read([&](Session& s) { return find_message(s, id); });
        ASSERT_TRUE(view) << id;
        ASSERT_EQ(view->media.size(), 1u);
        EXPECT_EQ(view->media[0].url, "https://x.test/1");
    }
}

TEST_F(Messaging, KeepsTheLaterConsentWhateverTheOrderOfArrival) {
    const Address ann = Address::phone("+15558675310");
    const auto set = [&](const char* state, TimeMs at) {
        store.write([&](Transaction& tx) {
            set_consent(tx, ids, {ann, "sms", state, "word", "", "guest", at});
        });
    };
    const auto out = [&] {
        return store.read([&](Session& s) { return is_opted_out(s, ann, "sms"); });
    };
    EXPECT_FALSE(out());
    set("out", 2000);
    set("in", 1000);
    EXPECT_TRUE(out());
    set("in", 3000);
    EXPECT_FALSE(out());
}

TEST(ConsentWords, StandAloneInAnyCase_S74) {
    EXPECT_EQ(consent_word("STOP"), ConsentWord::stop);
    EXPECT_EQ(consent_word(" unsubscribe.\n"), ConsentWord::stop);
    EXPECT_EQ(consent_word("Start"), ConsentWord::start);
    EXPECT_EQ(consent_word("help"), ConsentWord::help);
    EXPECT_EQ(consent_word("please stop by later"), ConsentWord::none);
    EXPECT_EQ(consent_word("stop it"), ConsentWord::none);
    EXPECT_EQ(consent_word(""), ConsentWord::none);
}

TEST(MessageStatus, RanksAsGuaranteedSoThatItNeverRegresses_G8) {
    const char* rising[] = {"received", "queued", "sending",   "unknown", "accepted",
                            "sent",     "failed", "delivered", "read"};
    for (size_t i = 1; i < std::size(rising); ++i) {
        EXPECT_LT(rank_of(rising[i - 1]), rank_of(rising[i])) << rising[i];
    }
    EXPECT_EQ(rank_of("expired"), rank_of("failed"));
    EXPECT_THROW(rank_of("undelivered"), std::invalid_argument);
    EXPECT_TRUE(is_final("failed"));
    EXPECT_FALSE(is_final("sent"));
}

TEST(Previews, AreCutBetweenCharactersNotInsideThem) {
    EXPECT_EQ(first_characters("Zoë", 3), "Zoë");
    EXPECT_EQ(first_characters("Zoë!", 3), "Zoë");
    EXPECT_EQ(first_characters("👍👍", 1), "👍");
}

}  // namespace
}  // namespace patchbay
