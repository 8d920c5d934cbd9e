// What a caller may see, as SQL says it, against the same rule for one row (S69).
#include "messaging/sight.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "messaging/sight_statements.hpp"
#include "store/migrations.hpp"
#include "store/plan.hpp"

namespace patchbay {
namespace {

struct Talk {
    std::string id, message, contact;
    std::optional<std::string> department, assignee;
    std::string kind;
};

class SightInSql : public testing::Test {
protected:
    SightInSql() {
        store_.migrate("core", core_migrations());
        const std::optional<std::string> departments[] = {{},        "Reception",  "Bar",
                                                          "Barbers", "Management", "Room Service"};
        for (const auto& department : departments) {
            for (const char* kind : {"general", "demo"}) {
                for (const auto& assignee : {std::optional<std::string>{}, {"me"}, {"other"}}) {
                    add(department, kind, assignee);
                }
            }
        }
    }
    ~SightInSql() override { std::filesystem::remove_all(folder_); }

    void add(const std::optional<std::string>& department, const std::string& kind,
             const std::optional<std::string>& assignee) {
        const auto number = static_cast<int64_t>(talks_.size()) + 1;
        const std::string tail = std::to_string(number);
        const Talk talk{"c" + tail, "m" + tail, "k" + tail, department, assignee, kind};
        store_.write([&](Transaction& tx) {
            tx.run_text(
                "INSERT INTO contacts(id,last_message_at,created_at,updated_at) VALUES($1,1,1,1)",
                {talk.contact});
            tx.run_text(
                "INSERT INTO conversations(id,number,channel,contact_id,state,mode,kind,department,"
                "assignee,last_message_at,created_at,updated_at) "
                "VALUES($1,$2,'sms',$3,'open','flow',$4,$5,$6,$7,1,1)",
                {talk.id, number, talk.contact, kind, nullable(department), nullable(assignee),
                 number});
            tx.run_text(
                "INSERT INTO messages(id,number,conversation_id,seq,channel,direction,sender_type,"
                "kind,status,rank,event_at,created_at,updated_at) "
                "VALUES($1,$2,$3,1,'sms','in','guest','text','received',1,1,1,1)",
                {talk.message, number + 1000, talk.id});
        });
        talks_.push_back(talk);
    }

    static Caller caller(const std::string& role, std::vector<std::string> departments) {
        Caller out;
        out.kind = role == "api" ? "key" : "user";
        out.id = "me";
        out.role = role;
        out.departments = std::move(departments);
        return out;
    }

    std::filesystem::path folder_ = [] {
        std::string name = testing::TempDir() + "patchbay_sight_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
    ManualClock clock_;
    Store store_{{.url = "sqlite:test.db", .base = folder_, .ballast_bytes = 0}, clock_};
    std::vector<Talk> talks_;
};

TEST_F(SightInSql, IsTheSameForEveryRoleDepartmentAndObjectS69) {
    const std::vector<std::string> sets[] = {{},          {"Reception"},  {"Bar"},
                                             {"Barbers"}, {"Management"}, {"Reception", "Bar"},
                                             {"%"},       {""},           {"Bar\nReception"}};
    size_t seen = 0, hidden = 0;
    for (const char* role : {"owner", "admin", "expert", "agent", "viewer", "api"}) {
        for (const auto& departments : sets) {
            const Sight sight = sight_of(caller(role, departments));
            store_.read([&](Session& session) {
                for (const Talk& talk : talks_) {
                    SCOPED_TRACE(std::string(role) + " of " +
                                 (departments.empty() ? "none" : departments[0]) + " sees " +
                                 talk.department.value_or("none") + " " + talk.kind);
                    const bool is_seen = sight.covers(talk.department, talk.kind, talk.assignee);
                    (is_seen ? seen : hidden) += 1;
                    const std::string number = talk.id.substr(1);
                    EXPECT_EQ(find_seen_conversation(session, sight, talk.id).has_value(), is_seen);
                    EXPECT_EQ(find_seen_conversation(session, sight, number).has_value(), is_seen);
                    EXPECT_EQ(find_seen_message(session, sight, talk.message).has_value(), is_seen);
                    EXPECT_EQ(
                        find_seen_message(session, sight, std::to_string(1000 + std::stoi(number)))
                            .has_value(),
                        is_seen);
                    EXPECT_EQ(find_seen_contact(session, sight, talk.contact).has_value(), is_seen);
                }
                return 0;
            });
        }
    }
    EXPECT_GT(seen, 300u);
    EXPECT_GT(hidden, 300u);
}

TEST_F(SightInSql, UsesIndexesS69) {
    using namespace sql;
    for (const Statement* statement : {&conversation_seen,
                                       &conversation_seen_by_number,
                                       &conversation_seen_newest,
                                       &conversation_window,
                                       &conversation_seen_all,
                                       &conversation_window_department,
                                       &conversation_seen_department,
                                       &conversation_window_no_department,
                                       &conversation_seen_no_department,
                                       &conversation_window_assignee,
                                       &conversation_seen_assignee,
                                       &conversation_window_contact,
                                       &conversation_seen_contact,
                                       &message_seen,
                                       &message_seen_by_number,
                                       &message_window,
                                       &message_seen_all,
                                       &message_window_channel,
                                       &message_seen_channel,
                                       &message_window_peer,
                                       &message_seen_peer,
                                       &contact_seen,
                                       &contact_window,
                                       &contact_seen_all}) {
        for (const auto& problem : plan_problems(store_, *statement)) {
            ADD_FAILURE() << problem << "\n" << explain(store_, *statement);
        }
    }
}

}  // namespace
}  // namespace patchbay
