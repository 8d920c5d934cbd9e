// identity/1 as a plugin calls it: through the boundary's own encoding.
#include "identity/identity_service.hpp"

#include <patchbay/host.hpp>

#include "identity/audit.hpp"
#include "identity/test_identity.hpp"

namespace patchbay {
namespace {

class IdentityOfPlugins : public IdentityTest {
protected:
    IdentityOfPlugins() {
        register_identity_service(services, *identity_, [] {
            return std::vector<std::string>{"Reception", "Room Service"};
        });
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
            thrown = error.code;
            return error.kind;
        }
        return ErrorKind::none;
    }
    identity::SignIn as(const std::string& email, const std::string& password,
                        const std::string& peer = "192.0.2.1") {
        return {.email = email, .password = password, .peer = peer};
    }

    std::string thrown;
    HostServices services;
    pb_host raw{sizeof(pb_host), PB_ABI_MINOR, &services, &IdentityOfPlugins::call};
    Host host{&raw};
};

TEST_F(IdentityOfPlugins, FindTheOneThatHasAllThatIsAskedFor) {
    const User ann = add("ann@example.com", "agent", {"Reception"});
    add("bo@example.com", "expert");
    const User cy = add("cy@example.com", "agent");
    change(cy, {.active = false});
    EXPECT_EQ(host.find_user({.email = " ANN@example.com"})->id, ann.id);
    EXPECT_EQ(host.find_user({.number = ann.number})->email, "ann@example.com");
    EXPECT_EQ(host.find_user({.id = ann.id})->departments, std::vector<std::string>{"Reception"});
    EXPECT_EQ(host.find_user({.id = ann.id, .role = "expert"}), std::nullopt);
    EXPECT_EQ(host.find_user({.role = "expert"})->email, "bo@example.com");
    EXPECT_EQ(host.find_user({.id = cy.id}), std::nullopt) << "only who is active";
    EXPECT_FALSE(host.find_user({.id = cy.id, .active_only = false})->active);
    EXPECT_EQ(host.list_users({.role = "agent"}).size(), 1u);
    EXPECT_EQ(host.list_users({.department = "reception"}).size(), 1u) << "a slug is as good";
    EXPECT_EQ(host.list_users({.active_only = false, .limit = 2}).size(), 2u);
}

TEST_F(IdentityOfPlugins, SavesUsersButNoOwners) {
    const auto made = host.save_user({.user = {.email = "Di@example.com",
                                               .name = "Di",
                                               .role = "expert",
                                               .departments = {"room-service"}},
                                      .password = test_password});
    EXPECT_EQ(made.email, "di@example.com");
    EXPECT_EQ(made.departments, std::vector<std::string>{"Room Service"});
    auto changed = made;
    changed.name = "Diana";
    changed.active = false;
    EXPECT_EQ(host.save_user({.user = changed}).name, "Diana");
    EXPECT_FALSE(host.find_user({.id = made.id, .active_only = false})->active);
    ASSERT_FALSE(told_.empty());
    EXPECT_EQ(told_.back().kind, AccessChange::Kind::ended) << "S65: what they hold open ends";

    const User owner = add("owner@example.com", "owner");
    struct Case {
        const char* name;
        identity::NewUser user;
        ErrorKind kind;
    };
    const Case cases[] = {
        {"a new owner",
         {.user = {.email = "x@example.com", .name = "X", .role = "owner"}},
         ErrorKind::forbidden},
        {"an owner changed", {.user = {.id = owner.id, .role = "agent"}}, ErrorKind::forbidden},
        {"made an owner", {.user = {.id = made.id, .role = "owner"}}, ErrorKind::forbidden},
        {"no such user", {.user = {.id = "none", .role = "agent"}}, ErrorKind::not_found},
        {"no such role",
         {.user = {.email = "x@example.com", .name = "X", .role = "king"}},
         ErrorKind::request},
        {"no address", {.user = {.email = "x", .name = "X", .role = "agent"}}, ErrorKind::request},
        {"a taken address",
         {.user = {.email = "di@example.com", .name = "X", .role = "agent"}},
         ErrorKind::conflict},
        {"S60: a short password",
         {.user = {.email = "x@example.com", .name = "X", .role = "agent"}, .password = "short"},
         ErrorKind::request},
    };
    for (const Case& one : cases) {
        SCOPED_TRACE(one.name);
        EXPECT_EQ(kind_of([&] { host.save_user(one.user); }), one.kind);
    }
}

TEST_F(IdentityOfPlugins, SignsInUnderTheLimitsOfTheHubsOwnLoginS61) {
    add("ann@example.com", "agent");
    const auto signed_in = host.sign_in(as("ann@example.com", test_password));
    EXPECT_EQ(signed_in.user.role, "agent");
    EXPECT_EQ(identity_->caller_of(with_token(signed_in.token)).id, signed_in.user.id);
    auto brief = as("ann@example.com", test_password);
    brief.token_for = std::chrono::minutes{5};
    EXPECT_EQ(host.sign_in(brief).expires_ms, clock_.now_ms() + 300'000);
    brief.token_for = std::chrono::hours{10'000};
    EXPECT_EQ(host.sign_in(brief).expires_ms, signed_in.expires_ms)
        << "never longer than the hub's";

    EXPECT_EQ(kind_of([&] { host.sign_in(as("ann@example.com", "wrong", "")); }),
              ErrorKind::request);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(kind_of([&] { host.sign_in(as("ann@example.com", "wrong")); }),
                  ErrorKind::unauthorized);
    EXPECT_EQ(thrown, "invalid_credentials");
    EXPECT_EQ(kind_of([&] { host.sign_in(as("ann@example.com", test_password)); }),
              ErrorKind::rate_limited);
    EXPECT_THROW(identity_->login("ann@example.com", test_password, {.address = "192.0.2.2"}),
                 Problem)
        << "the same tries count for both doors";
}

}  // namespace
}  // namespace patchbay
