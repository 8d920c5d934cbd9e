#include "identity/identity.hpp"

#include <ctime>
#include <thread>

#include "identity/test_identity.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class SigningIn : public IdentityTest {
protected:
    std::string try_login(const std::string& email, const std::string& password,
                          const std::string& address = "192.0.2.1") {
        return code_of([&] { identity_->login(email, password, {.address = address}); });
    }
};

TEST_F(SigningIn, GivesATokenThatSaysWhoCalls) {
    const User bo = add("bo@x.org", "agent", {"Reception"});
    const SignInResult in = identity_->login("BO@x.org", test_password, {.address = "192.0.2.1"});
    EXPECT_EQ(in.user.id, bo.id);
    EXPECT_EQ(in.expires_at, clock_.now_ms() + 12 * 3'600'000);
    const Caller caller = identity_->caller_of(with_token(in.token));
    EXPECT_EQ(caller.kind, "user");
    EXPECT_EQ(caller.id, bo.id);
    EXPECT_EQ(caller.role, "agent");
    EXPECT_EQ(caller.departments, std::vector<std::string>{"Reception"});
}

TEST_F(SigningIn, TellsUnknownUsersAndWrongPasswordsAlikeS61) {
    add("bo@x.org", "agent");
    const User gone = add("gone@x.org", "agent");
    change(gone, {.active = false});
    EXPECT_EQ(try_login("bo@x.org", "wrong horse battery"), "invalid_credentials");
    EXPECT_EQ(try_login("nobody@x.org", test_password), "invalid_credentials");
    EXPECT_EQ(try_login("gone@x.org", test_password), "invalid_credentials");
}

TEST_F(SigningIn, LimitsFailuresOfAnAccountS61) {
    add("bo@x.org", "agent");
    add("ann@x.org", "agent");
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(try_login("bo@x.org", "wrong horse battery"), "invalid_credentials") << i;
    }
    EXPECT_EQ(try_login("bo@x.org", test_password, "198.51.100.7"), "rate_limited");
    EXPECT_EQ(try_login("ann@x.org", test_password), "") << "others are not locked out";
    clock_.advance(90s);
    EXPECT_EQ(try_login("bo@x.org", test_password), "");
}

TEST_F(SigningIn, LimitsFailuresOfAnAddressAndItsNetworkS61) {
    add("bo@x.org", "agent");
    for (int i = 0; i < 30; ++i) {
        try_login("user" + std::to_string(i) + "@x.org", "wrong horse battery",
                  "2001:db8:1:2::" + std::to_string(i + 1));
    }
    EXPECT_EQ(try_login("bo@x.org", test_password, "2001:db8:1:2:0:0:0:9"), "rate_limited");
    EXPECT_EQ(try_login("bo@x.org", test_password, "2001:db8:1:2:3::9"), "rate_limited");
    EXPECT_EQ(try_login("bo@x.org", test_password, "2001:db8:1:3::9"), "");
}

TEST_F(SigningIn, MakesAnAccountThatGoesOnFailingWaitLongerEachTimeS61) {
    for (const char* email : {"bo@x.org", "nobody@x.org"}) {
        SCOPED_TRACE(email);
        if (std::string(email) == "bo@x.org") add(email, "agent");
        for (int i = 0; i < 10; ++i) try_login(email, "wrong horse battery", "a");
        std::vector<int64_t> waits;
        for (int i = 0; i < 6; ++i) {
            const auto began = clock_.now_ms();
            while (try_login(email, "wrong horse battery", "b") == "rate_limited") {
                clock_.advance(10s);
            }
            waits.push_back((clock_.now_ms() - began) / 1000);
        }
        EXPECT_EQ(waits, (std::vector<int64_t>{90, 180, 360, 720, 720, 720}));
    }
}

TEST_F(SigningIn, TakesAsLongForAnUnknownUserS61) {
    identity_ = std::make_unique<Identity>(current_config_, *store_, ids_,
                                           ScryptCost{.log2_n = 12, .r = 8, .p = 1});
    add("bo@x.org", "agent");
    const auto cpu_of = [&](const std::string& email) {
        std::vector<int64_t> runs;
        for (int i = 0; i < 5; ++i) {
            timespec before{}, after{};
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
            EXPECT_EQ(try_login(email, "wrong horse battery"), "invalid_credentials");
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
            runs.push_back((after.tv_sec - before.tv_sec) * 1'000'000 +
                           (after.tv_nsec - before.tv_nsec) / 1000);
        }
        std::sort(runs.begin(), runs.end());
        return static_cast<double>(runs[2]);
    };
    EXPECT_NEAR(cpu_of("nobody@x.org") / cpu_of("bo@x.org"), 1.0, 0.5);
}

TEST_F(SigningIn, CountsTriesBeforeTheyAreOverS61) {
    add("bo@x.org", "agent");
    std::vector<std::string> codes(16);
    std::vector<std::thread> threads;
    for (auto& code : codes) {
        threads.emplace_back([&] { code = try_login("bo@x.org", "wrong horse battery"); });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(std::count(codes.begin(), codes.end(), "invalid_credentials"), 10);
    EXPECT_EQ(std::count(codes.begin(), codes.end(), "rate_limited"), 6);
}

TEST_F(SigningIn, IsEndedByAChangeOfRightsS65) {
    const User bo = add("bo@x.org", "agent");
    const std::string token = identity_->login("bo@x.org", test_password, {.address = "a"}).token;
    const auto works = [&] {
        return code_of([&] { identity_->caller_of(with_token(token)); }) == "";
    };
    change(bo, {.name = "Bo Lind"});
    EXPECT_TRUE(works()) << "a name is no right";
    change(bo, {.role = "viewer"});
    EXPECT_FALSE(works());
}

TEST_F(SigningIn, IsRefusedToWhoWasDisabled) {
    const User bo = add("bo@x.org", "agent");
    const std::string token = identity_->login("bo@x.org", test_password, {.address = "a"}).token;
    change(bo, {.active = false});
    EXPECT_EQ(code_of([&] { identity_->caller_of(with_token(token)); }), "unauthenticated");
}

TEST_F(SigningIn, NeedsOneBearerHeader) {
    EXPECT_FALSE(identity_->caller_of({}).signed_in());
    HttpRequest basic;
    basic.headers.push_back({"Authorization", "Basic Ym86cHc="});
    EXPECT_EQ(code_of([&] { identity_->caller_of(basic); }), "unauthenticated");
    add("bo@x.org", "agent");
    HttpRequest twice =
        with_token(identity_->login("bo@x.org", test_password, {.address = "a"}).token);
    twice.headers.push_back(twice.headers[0]);
    EXPECT_EQ(code_of([&] { identity_->caller_of(twice); }), "unauthenticated");
}

TEST_F(SigningIn, IsNotNeededOnTheControlSocket) {
    HttpRequest request;
    request.control = true;
    const Caller caller = identity_->caller_of(request);
    EXPECT_EQ(caller.kind, "local");
    EXPECT_EQ(caller.role, "owner");
}

TEST_F(SigningIn, WorksOnceWithAnInvite) {
    const User bo = store_->write([&](Transaction& tx) {
        return add_user(tx, ids_, {"bo@x.org", "Bo", "agent", {}, ""}, clock_.now_ms());
    });
    EXPECT_EQ(try_login("bo@x.org", ""), "invalid_credentials");
    const std::string secret =
        store_->write([&](Transaction& tx) { return identity_->make_invite(tx, bo.id); });
    EXPECT_EQ(identity_->accept_invite(secret, test_password, {.address = "a"}).user.id, bo.id);
    EXPECT_EQ(try_login("bo@x.org", test_password), "");
    EXPECT_EQ(code_of([&] { identity_->accept_invite(secret, test_password, {.address = "a"}); }),
              "invalid_credentials");
}

TEST_F(SigningIn, MakesTheFirstOwnerWithALinkOnceS62) {
    const auto first = identity_->make_first_owner_link();
    const auto second = identity_->make_first_owner_link();
    ASSERT_TRUE(first && second);
    const UserToAdd ann{"ann@x.org", "Ann", "viewer", {}, ""};
    const auto accept = [&](const std::string& secret, const UserToAdd& who) {
        return code_of(
            [&] { identity_->accept_first_owner(secret, who, test_password, {.address = "a"}); });
    };
    EXPECT_EQ(accept(*first, ann), "invalid_credentials") << "the newer link voids it";
    EXPECT_EQ(accept("guess", ann), "invalid_credentials");
    EXPECT_EQ(accept(*second, ann), "");
    EXPECT_EQ(accept(*second, {"eve@x.org", "Eve", "owner", {}, ""}), "invalid_credentials");
    EXPECT_EQ(identity_->login("ann@x.org", test_password, {.address = "a"}).user.role, "owner");
    EXPECT_FALSE(identity_->make_first_owner_link());
}

TEST_F(SigningIn, MakesNoFirstOwnerLateOrBesideOthersS62) {
    const auto late = identity_->make_first_owner_link();
    const auto accept = [&](const std::string& secret) {
        return code_of([&] {
            identity_->accept_first_owner(secret, {"eve@x.org", "Eve", "owner", {}, ""},
                                          test_password, {.address = "a"});
        });
    };
    clock_.advance(30min);
    EXPECT_EQ(accept(*late), "invalid_credentials");
    const auto link = identity_->make_first_owner_link();
    add("ann@x.org", "viewer");
    EXPECT_EQ(accept(*link), "invalid_credentials");
}

TEST_F(SigningIn, RefusesAnOldInviteS62) {
    const User bo = add("bo@x.org", "agent");
    const std::string secret =
        store_->write([&](Transaction& tx) { return identity_->make_invite(tx, bo.id); });
    clock_.advance(30min);
    EXPECT_EQ(code_of([&] { identity_->accept_invite(secret, test_password, {.address = "a"}); }),
              "invalid_credentials");
}

TEST_F(SigningIn, RenewsAnOutdatedHashAndKeepsTheTokens) {
    const std::string outdated = Passwords({.log2_n = 3, .r = 8, .p = 1}).hash(test_password);
    const User bo = store_->write([&](Transaction& tx) {
        return add_user(tx, ids_, {"bo@x.org", "Bo", "agent", {}, outdated}, clock_.now_ms());
    });
    const std::string token = identity_->login("bo@x.org", test_password, {.address = "a"}).token;
    EXPECT_EQ(identity_->caller_of(with_token(token)).id, bo.id);
    const auto now_stored = store_->read([&](Session& s) { return find_user(s, bo.id); });
    EXPECT_TRUE(now_stored->password_hash.starts_with("$scrypt$ln=4,"))
        << now_stored->password_hash;
}

TEST_F(SigningIn, IsDoneForAUserByTheLocalOperator) {
    add("bo@x.org", "agent");
    const SignInResult in = identity_->token_for("bo@x.org", 5min);
    EXPECT_EQ(in.expires_at, clock_.now_ms() + 300'000);
    EXPECT_EQ(identity_->caller_of(with_token(in.token)).email, "bo@x.org");
    EXPECT_EQ(code_of([&] { identity_->token_for("no@x.org", {}); }), "unknown_id");
}

}  // namespace
}  // namespace patchbay
