// messaging/1 as a plugin calls it: through the boundary's own encoding.
#include "delivery/messaging_service.hpp"

#include <patchbay/host.hpp>

#include "delivery/delivery_fixture.hpp"
#include "messaging/consent.hpp"
#include "messaging/contacts.hpp"
#include "messaging/conversations.hpp"

namespace patchbay {
namespace {

class Messaging : public DeliveryTest {
protected:
    Messaging() {
        register_messaging_service(
            services, {.store = store,
                       .mint = mint,
                       .outcomes = board,
                       .limits = [](const std::string&) { return SendLimits{}; },
                       .wake = [](const std::string&) {},
                       .departments =
                           [] {
                               return std::vector<std::string>{"Reception", "Room Service"};
                           },
                       .is_channel = [](const std::string& name) { return name == "sms"; },
                       .bulk_per_day = [](const std::string&) { return int64_t{1'500}; },
                       .state =
                           [](const std::string& name) {
                               return messaging::ChannelState{.paused = name + " is off"};
                           }});
    }

    static int32_t call(void* self, uint32_t method, pb_bytes in, pb_sink out) {
        return detail::guarded(out, [&] {
            detail::deliver(out, static_cast<HostServices*>(self)->call({"desk", "hotel_desk"},
                                                                        method, detail::view(in)));
        });
    }
    ErrorKind kind_of(const std::function<void()>& work) {
        try {
            work();
        } catch (const Error& error) {
            code = error.code;
            return error.kind;
        }
        return ErrorKind::none;
    }
    messaging::ConversationInfo open(const std::string& number, const std::string& purpose = "") {
        clock.advance(std::chrono::seconds{1});
        return host.open_conversation(
            {.channel = "sms", .to = Address::phone(number), .purpose = purpose});
    }
    void receive(const std::string& conversation) {
        store.write([&](Transaction& tx) {
            append_message(tx, mint,
                           {.conversation_id = conversation,
                            .channel = "sms",
                            .direction = "in",
                            .sender_type = "guest",
                            .body = "Hi",
                            .status = "received"},
                           clock.now_ms());
        });
    }

    std::string code;
    OutcomeBoard board;
    HostServices services;
    pb_host raw{sizeof(pb_host), PB_ABI_MINOR, &services, &Messaging::call};
    Host host{&raw};
};

const Address ann = Address::phone("+15558675310");
const Address mail{"email", "ann@example.com"};

TEST_F(Messaging, SavesAContactUnderAllItsAddresses) {
    const auto made = host.save_contact(
        {.name = "Ann Lee", .locale = "en", .addresses = {ann}, .attributes = {{"room", "12"}}});
    EXPECT_EQ(made.name, "Ann Lee");
    EXPECT_EQ(made.locale, "en");
    EXPECT_EQ(made.attributes, (Labels{{"room", "12"}}));

    const auto again =
        host.save_contact({.addresses = {mail, ann}, .attributes = {{"floor", "1"}}});
    EXPECT_EQ(again.id, made.id) << "found by an address";
    EXPECT_EQ(again.name, "Ann Lee") << "what is not given stays";
    EXPECT_EQ(again.attributes, (Labels{{"floor", "1"}, {"room", "12"}}));
    EXPECT_EQ(host.find_contact(mail)->id, made.id);
    EXPECT_GT(again.version, made.version);
}

TEST_F(Messaging, RefusesToSaveAContactOverAnother) {
    const auto one = host.save_contact({.name = "Ann", .addresses = {ann}});
    const auto other = host.save_contact({.name = "Bo", .addresses = {mail}});
    EXPECT_EQ(kind_of([&] { host.save_contact({.id = other.id, .addresses = {ann}}); }),
              ErrorKind::conflict);
    EXPECT_EQ(kind_of([&] { host.save_contact({.id = one.id, .version = one.version + 1}); }),
              ErrorKind::conflict);
    EXPECT_EQ(kind_of([&] { host.save_contact({.id = "none"}); }), ErrorKind::not_found);
    EXPECT_EQ(kind_of([&] { host.save_contact({.name = "Nobody"}); }), ErrorKind::request);
    EXPECT_EQ(host.contact(one.id)->name, "Ann");
}

TEST_F(Messaging, OpensOneConversationForEachPurpose) {
    const auto made = host.open_conversation({.channel = "sms",
                                              .to = ann,
                                              .purpose = "reception:service",
                                              .mode = "relay",
                                              .kind = "service",
                                              .department = "room-service",
                                              .assignee = "u1",
                                              .external_id = "CH1",
                                              .friendly_name = "Ann, 12",
                                              .unique_name = "stay-7",
                                              .context = R"({"stay":7})",
                                              .contact_name = "Ann Lee"});
    EXPECT_EQ(made.department, "Room Service") << "a slug is as good as the name";
    EXPECT_EQ(made.mode, "relay");
    EXPECT_EQ(made.state, "open");
    EXPECT_EQ(made.assignee, "u1");
    EXPECT_EQ(made.friendly_name, "Ann, 12");
    EXPECT_EQ(made.context, R"({"stay":7})");
    EXPECT_EQ(host.contact(made.contact)->name, "Ann Lee");

    EXPECT_EQ(open(ann.value, "reception:service").id, made.id);
    EXPECT_NE(open(ann.value).id, made.id);
    const auto by_key = host.open_conversation({.channel = "sms", .external_id = "CH1"});
    EXPECT_EQ(by_key.id, made.id);
    EXPECT_EQ(host.open_conversation({.channel = "sms", .contact = made.contact}).id,
              open(ann.value).id);
}

TEST_F(Messaging, RefusesAConversationThatCannotBe) {
    open(ann.value);
    host.open_conversation({.channel = "sms", .to = mail, .unique_name = "stay-7"});
    struct Case {
        const char* name;
        messaging::NewConversation wanted;
        ErrorKind kind;
        std::string code;
    };
    const Case cases[] = {
        {"no channel", {.channel = "fax", .to = ann}, ErrorKind::not_found, "unknown_channel"},
        {"no contact", {.channel = "sms", .contact = "none"}, ErrorKind::not_found, "unknown_id"},
        {"nobody", {.channel = "sms"}, ErrorKind::request, "422"},
        {"a mode of its own",
         {.channel = "sms", .to = ann, .mode = "x"},
         ErrorKind::request,
         "422"},
        {"no department",
         {.channel = "sms", .to = ann, .department = "Spa"},
         ErrorKind::refused,
         "unknown_department"},
        {"a unique name that is taken",
         {.channel = "sms", .to = ann, .purpose = "p", .unique_name = "stay-7"},
         ErrorKind::conflict,
         "conflict"},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        EXPECT_EQ(kind_of([&] { host.open_conversation(one.wanted); }), one.kind);
        EXPECT_EQ(code, one.code);
    }
}

TEST_F(Messaging, ChangesWhatIsGivenAndNothingElse) {
    const auto made = open(ann.value);
    const auto changed = host.change_conversation({.id = made.id,
                                                   .if_version = made.version,
                                                   .mode = "relay",
                                                   .department = "reception",
                                                   .friendly_name = "Ann"});
    EXPECT_EQ(changed.mode, "relay");
    EXPECT_EQ(changed.department, "Reception");
    EXPECT_EQ(changed.friendly_name, "Ann");
    EXPECT_EQ(changed.kind, made.kind);
    EXPECT_EQ(changed.state, "open");
    EXPECT_EQ(changed.version, made.version + 1);

    EXPECT_EQ(
        kind_of([&] {
            host.change_conversation({.id = made.id, .if_version = made.version, .mode = "flow"});
        }),
        ErrorKind::conflict)
        << "another was first";
    EXPECT_EQ(host.change_conversation({.id = made.id, .department = ""}).department, "");
    EXPECT_EQ(kind_of([&] { host.change_conversation({.id = made.id, .state = "gone"}); }),
              ErrorKind::request);
    EXPECT_EQ(kind_of([&] { host.change_conversation({.id = "none", .mode = "flow"}); }),
              ErrorKind::not_found);
}

TEST_F(Messaging, NeverOpensTwoForOnePurpose) {
    const auto first = open(ann.value);
    host.change_conversation({.id = first.id, .state = "closed"});
    const auto second = open(ann.value);
    EXPECT_NE(second.id, first.id);
    EXPECT_EQ(kind_of([&] { host.change_conversation({.id = first.id, .state = "open"}); }),
              ErrorKind::conflict);
    EXPECT_EQ(code, "conversation_open");
    host.change_conversation({.id = second.id, .state = "closed"});
    EXPECT_EQ(host.change_conversation({.id = first.id, .state = "open"}).state, "open");
}

TEST_F(Messaging, ListsConversationsNewestFirstPageByPage) {
    const auto one = open("+15558675311");
    const auto two = open("+15558675312", "stay:2");
    const auto three = open("+15558675313");
    host.change_conversation({.id = three.id, .state = "closed", .department = "Reception"});
    const auto listed = [&](const messaging::ConversationQuery& query) {
        std::vector<std::string> found;
        for (const auto& info : host.list_conversations(query)) found.push_back(info.id);
        return found;
    };
    using Found = std::vector<std::string>;
    EXPECT_EQ(listed({}), (Found{three.id, two.id, one.id}));
    EXPECT_EQ(listed({.limit = 2}), (Found{three.id, two.id}));
    EXPECT_EQ(listed({.after = two.id}), Found{one.id});
    EXPECT_EQ(listed({.states = {"open"}}), (Found{two.id, one.id}));
    EXPECT_EQ(listed({.department = "reception"}), Found{three.id});
    EXPECT_EQ(listed({.purpose = "stay:2"}), Found{two.id});
    EXPECT_EQ(listed({.contact = one.contact}), Found{one.id});
    EXPECT_EQ(listed({.number = two.number}), Found{two.id});
    EXPECT_EQ(listed({.search = "5313"}), Found{three.id});
    EXPECT_EQ(listed({.channel = "fax"}), Found{});
    EXPECT_EQ(listed({.channel = "sms", .unique_name = "none"}), Found{});
}

TEST_F(Messaging, ShowsAnAskerWhatIsTheirsS69) {
    const auto mine = open("+15558675311"), theirs = open("+15558675312"), free = open(ann.value);
    host.change_conversation({.id = mine.id, .department = "Reception"});
    host.change_conversation({.id = theirs.id, .department = "Room Service"});
    const auto seen_by = [&](const messaging::Asker& asker) {
        std::vector<std::string> found;
        for (const auto& one : host.list_conversations({.asker = asker})) found.push_back(one.id);
        return found;
    };
    using Found = std::vector<std::string>;
    EXPECT_EQ(seen_by({"u1", "agent", {"Reception"}}), (Found{free.id, mine.id}));
    EXPECT_EQ(seen_by({"u1", "admin", {}}).size(), 3u);
    EXPECT_EQ(seen_by({"k1", "api", {}}).size(), 3u);
    EXPECT_EQ(seen_by({"u2", "expert", {}}), Found{});
}

TEST_F(Messaging, TellsWhomAConversationReachesAndWhetherTheyWantIt) {
    const auto made = open(ann.value);
    EXPECT_EQ(made.address, ann);
    store.write([&](Transaction& tx) {
        set_consent(tx, mint.ids, {ann, "sms", "out", "word", "", "guest", clock.now_ms()});
    });
    EXPECT_TRUE(host.list_conversations({.with_consent = true}).at(0).opted_out);
    EXPECT_FALSE(host.list_conversations({}).at(0).opted_out) << "nobody asked for it";
}

TEST_F(Messaging, TellsAnInstanceOfItsOwnSends) {
    EXPECT_EQ(host.channel_state().paused, "desk is off");
}

const messaging::NewBulk bulk{.channel = "sms",
                              .to = {"+15558675311", "12", "+1 555 867 5311", "+15558675312"},
                              .text = "Open day",
                              .asker = {"u1", "agent", {"Reception"}}};

TEST_F(Messaging, StartsABulkSendAndTellsOfItS73) {
    const auto begun = host.start_bulk({}, bulk);
    EXPECT_EQ(begun.status, "running");
    EXPECT_EQ(begun.total, 3u);
    EXPECT_EQ(begun.queued, 2u);
    EXPECT_EQ(begun.failed, 1u);
    EXPECT_EQ(begun.duplicates, 1u);
    const auto found = host.find_bulk(begun.id, bulk.asker, 0, 2);
    ASSERT_TRUE(found);
    ASSERT_EQ(found->results.size(), 2u);
    EXPECT_EQ(found->results[0].to, "+15558675311");
    EXPECT_EQ(found->results[0].status, DeliveryStatus::queued);
    EXPECT_EQ(found->results[1].code, "invalid_phone_number");
    EXPECT_EQ(found->results[1].status, DeliveryStatus::failed);
    EXPECT_EQ(host.stop_bulk(begun.id, bulk.asker)->status, "stopped");
}

TEST_F(Messaging, ShowsABulkSendToWhoAskedForItS69) {
    const std::string id = host.start_bulk({}, bulk).id;
    EXPECT_FALSE(host.find_bulk(id, {"u2", "agent", {"Reception"}}));
    EXPECT_FALSE(host.stop_bulk(id, {"u1", "api", {}})) << "a key's id is no user's";
    EXPECT_TRUE(host.find_bulk(id, {"u3", "admin", {}}));
    EXPECT_FALSE(host.find_bulk("none", {"u3", "admin", {}}));
}

TEST_F(Messaging, BeginsNoBulkSendThatNobodyMeans) {
    messaging::NewBulk many = bulk;
    many.to.clear();
    for (int i = 0; i < 1'001; ++i) many.to.push_back("+1555867" + std::to_string(1000 + i));
    EXPECT_EQ(host.start_bulk({}, many).status, "unconfirmed");
    many.dry_run = true;
    EXPECT_EQ(host.start_bulk({}, many).status, "dry_run");
    EXPECT_EQ(host.start_bulk({}, many).recipients, 1'001u);
    many.dry_run = false;
    many.confirm = 1'001;
    EXPECT_EQ(host.start_bulk({}, many).status, "running");
    EXPECT_EQ(kind_of([&] { host.start_bulk({}, many); }), ErrorKind::refused);
    EXPECT_EQ(code, "daily_cap");
    many.to = {"12"};
    EXPECT_EQ(kind_of([&] { host.start_bulk({}, many); }), ErrorKind::refused);
    EXPECT_EQ(code, "invalid_phone_number");
    many.channel = "fax";
    EXPECT_EQ(kind_of([&] { host.start_bulk({}, many); }), ErrorKind::not_found);
}

TEST_F(Messaging, MarksAsReadUpToAMessage) {
    const auto made = open(ann.value);
    for (int i = 0; i < 3; ++i) receive(made.id);
    store.write(
        [&](Transaction& tx) { mark_conversation_read(tx, made.id, "", 0, clock.now_ms()); });
    ASSERT_EQ(host.conversation(made.id)->unread, 3u);
    host.read_conversation(made.id, "", 2);
    EXPECT_EQ(host.conversation(made.id)->unread, 1u);
    host.read_conversation(made.id, "u1", 99);
    EXPECT_EQ(host.conversation(made.id)->unread, 0u);
    EXPECT_EQ(kind_of([&] { host.read_conversation("none", "", 1); }), ErrorKind::not_found);
}

TEST_F(Messaging, RefusesASendToNoChannel) {
    EXPECT_EQ(kind_of([&] { host.send_message({}, {.channel = "fax", .to = ann, .text = "x"}); }),
              ErrorKind::not_found);
    EXPECT_EQ(code, "unknown_channel");
}

}  // namespace
}  // namespace patchbay
