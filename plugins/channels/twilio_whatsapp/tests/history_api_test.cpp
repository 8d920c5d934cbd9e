#include "endpoints.hpp"

namespace patchbay::twilio_whatsapp {
namespace {

constexpr int64_t noon_ms = 1'800'000'000'123;

messaging::ConversationInfo conversation(const std::string& id, const std::string& contact,
                                         uint64_t messages, uint32_t unread = 0) {
    return {.id = id,
            .channel = "under_test",
            .contact = contact,
            .last_seq = messages,
            .last_message_ms = noon_ms,
            .unread = unread,
            .contact_name = "Thabo",
            .address = Address::phone(customer)};
}

messaging::MessageInfo message(const std::string& id, uint64_t seq, const std::string& direction) {
    return {.id = id,
            .channel = "under_test",
            .seq = seq,
            .direction = direction,
            .kind = "text",
            .text = "Hi",
            .provider_id = "SM" + std::to_string(seq),
            .peer = Address::phone(customer),
            .status = direction == "in" ? DeliveryStatus::none : DeliveryStatus::delivered,
            .created_ms = noon_ms,
            .own = number};
}

struct WhatsAppHistory : Endpoints {
    std::vector<messaging::ConversationInfo> conversations{conversation("c1", "k1", 1, 1)};
    std::map<std::string, std::vector<messaging::MessageInfo>> stored{
        {"c1", {message("m1", 1, "in")}}};
    std::vector<std::string> marked;
    messaging::ConversationQuery asked;
    int lists = 0;
    uint64_t changes = 1;

    WhatsAppHistory() {
        hub_answers<Address>(method::find_contact, [](const Address& address) {
            const bool known = address.value == customer;
            return known ? std::optional{messaging::ContactInfo{.id = "k1"}} : std::nullopt;
        });
        hub_answers<std::string>(method::contact, [](const std::string& id) {
            return std::optional{messaging::ContactInfo{
                .id = id, .addresses = {{"user", "US.1"}, Address::phone("+27987654321")}}};
        });
        hub_answers<messaging::ConversationQuery>(
            method::list_conversations, [this](const messaging::ConversationQuery& query) {
                asked = query;
                ++lists;
                return conversations;
            });
        hub_answers<messaging::MessageQuery>(
            method::list_messages, [this](const messaging::MessageQuery& query) {
                std::vector<messaging::MessageInfo> page;
                for (const auto& one : stored[query.conversation]) {
                    const bool fits = query.before_seq == 0 || one.seq < query.before_seq;
                    if (fits && page.size() < query.limit) page.push_back(one);
                }
                return page;
            });
        channel.host_answers(method::read_conversation, [this](std::string_view in) {
            std::string id, user;
            uint64_t seq = 0;
            wire::unpack(in, wire::Text::trusted, id, user, seq);
            marked.push_back(id + "/" + std::to_string(seq));
            return std::string{};
        });
        hub_answers<>(method::channel_state,
                      [this] { return messaging::ChannelState{.changes = changes}; });
    }
    Response messages_with(const std::string& contact, Labels more = {}) {
        more["contact_number"] = contact;
        return get("messages", std::move(more));
    }
};

TEST_F(WhatsAppHistory, ShowsTheMessagesWithANumberS3_04_S3_20_S3_22) {
    const Response reply = messages_with(customer);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(
        reply.body,
        R"({"contact":{"id":"k1","phone_number":"+27123456789","display_name":"Thabo",)"
        R"("last_message_time":"2027-01-15T08:00:00.123Z","unread_count":1,"is_active":true},)"
        R"("messages":[{"id":"m1","message_id":"SM1","from_phone_number":"+27123456789",)"
        R"("to_phone_number":"+14155552671","message_type":"text","message_text":"Hi",)"
        R"("media_url":null,"status":"received","direction":"inbound","is_read":false,)"
        R"("created_at":"2027-01-15T08:00:00.123Z"}],"total_messages":1,"page":1,"page_size":50})");
    EXPECT_EQ(asked.channel, "under_test");
    EXPECT_EQ(asked.contact, "k1");
    EXPECT_EQ(asked.asker->departments, std::vector<std::string>{"Reception"});
}

TEST_F(WhatsAppHistory, FindsANumberWhosePlusWasLost) {
    EXPECT_EQ(twilio::text_at(*twilio::parse_object(messages_with(" 27123456789").body),
                              "total_messages"),
              "1");
}

TEST_F(WhatsAppHistory, HasNothingOfAnUnknownNumber) {
    conversations.clear();
    EXPECT_EQ(messages_with("+27999999999").body,
              R"({"contact":null,"messages":[],"total_messages":0,"page":1,"page_size":50})");
}

std::vector<std::string> ids_in(const Response& reply) {
    std::vector<std::string> ids;
    const auto list = twilio::parse_object(reply.body)->getArray("messages");
    for (unsigned i = 0; i < list->size(); ++i) {
        ids.push_back(twilio::text_at(*list->getObject(i), "id"));
    }
    return ids;
}

TEST_F(WhatsAppHistory, GoesThroughAllConversationsByPagesNewestFirst) {
    conversations = {conversation("c2", "k1", 3), conversation("c1", "k1", 2)};
    stored = {{"c2", {message("e", 3, "out"), message("d", 2, "in"), message("c", 1, "out")}},
              {"c1", {message("b", 2, "in"), message("a", 1, "in")}}};
    EXPECT_EQ(ids_in(messages_with(customer, {{"limit", "2"}})),
              (std::vector<std::string>{"e", "d"}));
    EXPECT_EQ(ids_in(messages_with(customer, {{"limit", "2"}, {"page", "2"}})),
              (std::vector<std::string>{"c", "b"}));
    EXPECT_EQ(ids_in(messages_with(customer, {{"limit", "2"}, {"page", "3"}})),
              (std::vector<std::string>{"a"}));
    EXPECT_EQ(ids_in(messages_with(customer, {{"limit", "2"}, {"page", "4"}})),
              std::vector<std::string>{});
}

TEST_F(WhatsAppHistory, KnowsWhatWasReadS3_21) {
    conversations = {conversation("c1", "k1", 4, 1)};
    stored = {{"c1",
               {message("d", 4, "in"), message("c", 3, "out"), message("b", 2, "in"),
                message("a", 1, "out")}}};
    stored["c1"][3].status = DeliveryStatus::failed;
    const auto list = twilio::parse_object(messages_with(customer).body)->getArray("messages");
    const char* expected[] = {"received", "sent", "read", "failed"};
    for (unsigned i = 0; i < 4; ++i) {
        EXPECT_EQ(twilio::text_at(*list->getObject(i), "status"), expected[i]);
        EXPECT_EQ(list->getObject(i)->getValue<bool>("is_read"), i == 2);
    }
}

TEST_F(WhatsAppHistory, ShowsAFileByItsUrlAndLeavesNotesOut) {
    conversations = {conversation("c1", "k1", 2)};
    stored = {{"c1", {message("n", 2, "note"), message("a", 1, "in")}}};
    stored["c1"][1].kind = "image";
    stored["c1"][1].media = {{.url = "https://api.twilio.com/x"}};
    const auto list = twilio::parse_object(messages_with(customer).body)->getArray("messages");
    ASSERT_EQ(list->size(), 1u);
    EXPECT_EQ(twilio::text_at(*list->getObject(0), "media_url"), "https://api.twilio.com/x");
    EXPECT_EQ(twilio::text_at(*list->getObject(0), "message_type"), "image");
}

TEST_F(WhatsAppHistory, TellsWhatIsWrongWithTheQueryS3_40) {
    expect_problem(get("messages"), 422, "missing_field", "?contact_number");
    expect_problem(messages_with("12"), 422, "invalid_phone_number", "?contact_number");
    expect_problem(messages_with("' OR 1=1 --"), 422, "invalid_phone_number", "?contact_number");
    for (const char* limit : {"0", "201", "x", "-1", ""}) {
        expect_problem(messages_with(customer, {{"limit", limit}}), 422, "invalid_field", "?limit");
    }
    expect_problem(messages_with(customer, {{"page", "0"}}), 422, "invalid_field", "?page");
}

TEST_F(WhatsAppHistory, ListsTheContactsS3_05) {
    conversations = {conversation("c2", "k2", 1, 2), conversation("c1", "k1", 1, 1),
                     conversation("c3", "k2", 1, 3)};
    conversations[0].address = {"user", "US.1"};
    conversations[1].opted_out = true;
    conversations[1].contact_name = "";
    const Response reply = get("contacts");
    EXPECT_EQ(
        reply.body,
        R"({"contacts":[{"id":"k2","phone_number":"+27987654321","display_name":"Thabo",)"
        R"("last_message_time":"2027-01-15T08:00:00.123Z","unread_count":5,"is_active":true},)"
        R"({"id":"k1","phone_number":"+27123456789","display_name":null,)"
        R"("last_message_time":"2027-01-15T08:00:00.123Z","unread_count":1,"is_active":false}],)"
        R"("total_count":2,"unread_count":6})");
}

TEST_F(WhatsAppHistory, KeepsTheContactsUntilSomethingChangesS3_19) {
    const std::string first = get("contacts").body;
    EXPECT_EQ(get("contacts").body, first);
    EXPECT_EQ(lists, 1);
    conversations.push_back(conversation("c2", "k2", 1));
    ++changes;
    EXPECT_NE(get("contacts").body, first);
    EXPECT_EQ(lists, 2);
    channel.pass_time(milliseconds{2'001});
    get("contacts");
    EXPECT_EQ(lists, 3);
    channel.answer({.route = "contacts", .method = "GET", .role = "agent"});
    EXPECT_EQ(lists, 4) << "another caller sees something else";
}

TEST_F(WhatsAppHistory, MarksAContactAsReadS3_06) {
    conversations = {conversation("c2", "k1", 3, 2), conversation("c1", "k1", 2)};
    const Response reply = post("read", "", {{"phone", customer}});
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, R"({"success":true,"message":"Marked as read","messages_marked":2})");
    EXPECT_EQ(marked, std::vector<std::string>{"c2/3"});
    expect_problem(post("read", "", {{"phone", "12"}}), 422, "invalid_phone_number");
    conversations.clear();
    expect_problem(post("read", "", {{"phone", "+27999999999"}}), 404, "unknown_id");
}

}  // namespace
}  // namespace patchbay::twilio_whatsapp
