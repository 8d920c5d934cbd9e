#include "identity/users.hpp"

#include "identity/statements.hpp"
#include "identity/test_identity.hpp"
#include "store/plan.hpp"

namespace patchbay {
namespace {

class Users : public IdentityTest {};

TEST_F(Users, AreFoundByIdNumberAndEmailInAnyCase) {
    const User added = add("Bo@X.org", "agent", {"Reception", "Housekeeping"});
    EXPECT_EQ(added.email, "bo@x.org");
    EXPECT_GT(added.number, 0);
    EXPECT_EQ(added.departments, (std::vector<std::string>{"Housekeeping", "Reception"}));
    store_->read([&](Session& session) {
        EXPECT_EQ(find_user(session, added.id)->email, "bo@x.org");
        EXPECT_EQ(find_user(session, std::to_string(added.number))->id, added.id);
        EXPECT_EQ(find_user_by_email(session, " BO@x.org ")->id, added.id);
        EXPECT_FALSE(find_user(session, "abc"));
        EXPECT_FALSE(find_user_by_email(session, "other@x.org"));
        return 0;
    });
}

TEST_F(Users, HaveAnAddressOfTheirOwn) {
    add("bo@x.org", "agent");
    EXPECT_EQ(code_of([&] { add("BO@x.org", "viewer"); }), "email_taken");
}

TEST_F(Users, AreListedInPages) {
    const User first = add("a@x.org", "owner");
    const User second = add("b@x.org", "agent", {"Reception"});
    store_->read([&](Session& session) {
        EXPECT_EQ(list_users(session, "", 1).at(0).id, first.id);
        const auto rest = list_users(session, first.id, 10);
        EXPECT_EQ(rest.size(), 1u);
        EXPECT_EQ(rest.at(0).id, second.id);
        EXPECT_EQ(rest.at(0).departments, std::vector<std::string>{"Reception"});
        return 0;
    });
}

TEST_F(Users, KeepAnOwner) {
    const User owner = add("a@x.org", "owner");
    EXPECT_EQ(code_of([&] { change(owner, {.role = "agent"}); }), "last_owner");
    EXPECT_EQ(code_of([&] { change(owner, {.active = false}); }), "last_owner");
    add("b@x.org", "owner");
    EXPECT_FALSE(change(owner, {.active = false}).active());
    EXPECT_TRUE(change(owner, {.active = true}).active());
}

TEST_F(Users, MayNeedOnlyATopLevelAddress) {
    for (const char* good : {"bo@x.org", "a+b@sub.example.com"})
        EXPECT_TRUE(is_email(good)) << good;
    for (const char* bad : {"", "bo", "@x.org", "bo@", "a@b@c", "a b@x.org", "<bo@x.org>"}) {
        EXPECT_FALSE(is_email(bad)) << bad;
    }
}

TEST_F(Users, AreReadThroughIndexes) {
    using namespace sql;
    for (const Statement* statement :
         {&user_get, &user_by_number, &user_by_email, &user_list, &user_insert, &user_number,
          &user_change, &user_password, &user_signed_in, &user_owners, &department_list,
          &department_add, &department_clear, &rate_take, &rate_peek, &ticket_add, &ticket_use}) {
        for (const auto& problem : plan_problems(*store_, *statement)) ADD_FAILURE() << problem;
    }
}

}  // namespace
}  // namespace patchbay
