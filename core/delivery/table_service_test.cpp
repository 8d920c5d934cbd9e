// tables/1 as a plugin calls it: through the boundary's own encoding.
#include "delivery/table_service.hpp"

#include <patchbay/host.hpp>

#include "delivery/delivery_fixture.hpp"

namespace patchbay {
namespace {

const tables::Migration notes{
    .version = 1,
    .name = "notes",
    .sql =
        "CREATE TABLE desk_notes (id BIGINT NOT NULL PRIMARY KEY, about TEXT, weight DOUBLE "
        "PRECISION, picture {blob}); CREATE UNIQUE INDEX desk_notes_about ON desk_notes (about)"};

class Tables : public DeliveryTest {
protected:
    Tables() {
        own.prepare("desk", {notes});
        events.subscribe("listener", {"note.*"});
        register_table_service(
            services,
            {.store = store,
             .tables = own,
             .messaging = {.store = store,
                           .mint = mint,
                           .outcomes = board,
                           .limits = [](const std::string&) { return SendLimits{}; },
                           .wake = [this](const std::string& queue) { woken.insert(queue); },
                           .departments = [] { return std::vector<std::string>{}; },
                           .is_channel = [](const std::string& name) { return name == "sms"; }},
             .operations = operations,
             .events = events});
    }
    static int32_t call(void* self, uint32_t method, pb_bytes in, pb_sink out) {
        return detail::guarded(out, [&] {
            detail::deliver(out, static_cast<HostServices*>(self)->call({"front", "desk"}, method,
                                                                        detail::view(in)));
        });
    }
    ErrorKind kind_of(const std::function<void()>& work) {
        try {
            work();
        } catch (const Error& error) {
            said = error.what();
            return error.kind;
        }
        return ErrorKind::none;
    }
    PluginJobNeeds needs() {
        return {.store = store, .ids = ids, .leases = {}, .wake = [](const std::string&) {}};
    }
    int64_t count(const std::string& sql) {
        return store.read([&](Session& s) { return s.run_text(sql)[0].number(0); });
    }
    int64_t jobs() { return count("SELECT COUNT(*) FROM jobs"); }
    static tables::TableStep add(int id, const std::string& about) {
        return {.statement =
                    tables::Statement{.sql = "INSERT INTO desk_notes (id, about) VALUES ($1, $2)",
                                      .params = {id, about}}};
    }

    std::string said;
    std::set<std::string> woken;
    OutcomeBoard board;
    PluginTables own{store};
    PluginOperations operations{needs(), [](const std::string& name) { return name == "rooms"; }};
    PluginEvents events{needs(), [](Session&, const WebhookEvent&) { return std::nullopt; }};
    HostServices services;
    pb_host raw{sizeof(pb_host), PB_ABI_MINOR, &services, &Tables::call};
    Host host{&raw};
};

TEST_F(Tables, GiveBackWhatWasPutIntoThem) {
    tables::Cell picture;
    picture.blob = wire::Bytes{std::string("\0\xff", 2)};
    EXPECT_EQ(host.query({.sql = "INSERT INTO desk_notes VALUES ($1, $2, $3, $4)",
                          .params = {1, "Ann's", 0.5, picture}})
                  .changed,
              1u);
    host.query({.sql = "INSERT INTO desk_notes VALUES ($1, $2, $3, $4)",
                .params = {2, std::nullopt, std::nullopt, std::nullopt}});
    const tables::Rows rows = host.query({.sql = "SELECT * FROM desk_notes ORDER BY id"});
    EXPECT_EQ(rows.columns, (std::vector<std::string>{"id", "about", "weight", "picture"}));
    EXPECT_EQ(rows.rows.at(0)[0].integer, 1);
    EXPECT_EQ(rows.rows.at(0)[1].text, "Ann's");
    EXPECT_EQ(rows.rows.at(0)[2].real, 0.5);
    EXPECT_EQ(rows.rows.at(0)[3].blob->data, picture.blob->data);
    EXPECT_TRUE(rows.rows.at(1)[3].is_null());
    EXPECT_EQ(
        host.query({.sql = "DELETE FROM desk_notes WHERE id=$1 RETURNING about", .params = {1}})
            .rows.at(0)[0]
            .text,
        "Ann's");
}

TEST_F(Tables, TellMistakesApart) {
    host.query({.sql = "INSERT INTO desk_notes (id) VALUES (1)"});
    EXPECT_EQ(kind_of([&] { host.query({.sql = "INSERT INTO desk_notes (id) VALUES (1)"}); }),
              ErrorKind::conflict);
    EXPECT_EQ(kind_of([&] { host.query({.sql = "SELEKT"}); }), ErrorKind::request);
    EXPECT_EQ(kind_of([&] { host.query({.sql = "SELECT email FROM users"}); }), ErrorKind::request);
    EXPECT_NE(said.find("\"users\" is not a table of this plugin"), std::string::npos) << said;
    EXPECT_EQ(kind_of([&] { host.query({.sql = "SELECT $1", .params = {}}); }), ErrorKind::request);
    EXPECT_EQ(kind_of([&] {
                  host.query({.sql = "DELETE FROM desk_notes WHERE id=2", .expect_changed = 1});
              }),
              ErrorKind::conflict);
}

TEST_F(Tables, AreChangedTogetherWithMessagesOperationsAndEvents) {
    const auto rows = host.transaction(
        {add(1, "a"),
         {.message = messaging::NewMessage{.channel = "sms",
                                           .to = Address::phone("+15558675310"),
                                           .text = "Your room is ready",
                                           .key = "k1"}},
         {.operation =
              operations::OperationCall{
                  .instance = "rooms", .name = "free", .input = "{}", .key = "k1"}},
         {.event = Event{.topic = "note.added", .dedupe_key = "note:1"}},
         {.statement = tables::Statement{.sql = "SELECT about FROM desk_notes"}}});
    ASSERT_EQ(rows.size(), 5u);
    EXPECT_EQ(rows[0].changed, 1u);
    EXPECT_EQ(rows[4].rows.at(0)[0].text, "a");
    EXPECT_EQ(jobs(), 3) << "a send, an operation and an event";
    EXPECT_EQ(woken, (std::set<std::string>{"sms", "operations:rooms", "events:listener"}));

    EXPECT_EQ(kind_of([&] { host.transaction({add(2, "b"), add(3, "b")}); }), ErrorKind::conflict);
    EXPECT_EQ(kind_of([&] {
                  host.transaction({add(4, "d"),
                                    {.operation = operations::OperationCall{
                                         .instance = "none", .name = "x", .key = "k"}}});
              }),
              ErrorKind::not_found);
    EXPECT_EQ(kind_of([&] {
                  host.transaction(
                      {add(4, "d"),
                       {.event = Event{.topic = "note.added", .dedupe_key = "note:4"}},
                       {.message = messaging::NewMessage{.channel = "sms",
                                                         .to = Address::phone("+15558675310"),
                                                         .text = std::string(5'000, 'x')}}});
              }),
              ErrorKind::refused)
        << "a text that is too long";
    EXPECT_EQ(kind_of([&] {
                  host.transaction({add(4, "d"),
                                    {.conversation = messaging::ConversationChange{
                                         .id = "none", .mode = "flow"}}});
              }),
              ErrorKind::not_found);
    EXPECT_EQ(kind_of([&] { host.transaction({add(4, "d"), {}}); }), ErrorKind::request);
    EXPECT_EQ(count("SELECT COUNT(*) FROM desk_notes"), 1) << "all or nothing";
    EXPECT_EQ(jobs(), 3);
}

TEST_F(Tables, OfAPluginWhoseMigrationFailsAreAsBefore) {
    EXPECT_EQ(kind_of([&] {
                  own.prepare("desk",
                              {notes,
                               {.version = 2,
                                .name = "worse",
                                .sql = "CREATE TABLE desk_more (id BIGINT); DROP TABLE users"}});
              }),
              ErrorKind::config);
    EXPECT_NE(said.find("the plugin's tables could not be made: \"users\" is not a table of this"),
              std::string::npos)
        << said;
    EXPECT_EQ(own.scope_of("desk").tables, std::set<std::string>{"desk_notes"});
    EXPECT_EQ(kind_of([&] { host.query({.sql = "SELECT id FROM desk_more"}); }),
              ErrorKind::request);
}

}  // namespace
}  // namespace patchbay
