// Browsers' sessions, and how a sign-in ends.
#include "identity/sessions.hpp"

#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "identity/test_identity.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class Sessions : public IdentityTest {
protected:
    SignInResult browser_login(const std::string& email) {
        return identity_->login(email, test_password,
                                {.address = "192.0.2.1", .wants_session = true});
    }
    static HttpRequest with_cookie(const std::string& secret) {
        HttpRequest request;
        request.headers.push_back({"Cookie", "theme=dark; __Host-pb=" + secret});
        return request;
    }
    std::string code(const HttpRequest& request) {
        return code_of([&] { identity_->caller_of(request); });
    }
    static AccessChange ended(const std::string& user_id, const std::string& credential = {}) {
        return {user_id, credential, AccessChange::Kind::ended};
    }
};

TEST_F(Sessions, SayWhoCallsS63) {
    const User bo = add("bo@x.org", "agent", {"Reception"});
    const SignInResult in = browser_login("bo@x.org");
    EXPECT_EQ(from_base64url(in.session).value_or("").size(), 32u);
    const Caller caller = identity_->caller_of(with_cookie(in.session));
    EXPECT_EQ(caller.id, bo.id);
    EXPECT_TRUE(caller.by_cookie);
    EXPECT_EQ(caller.credential, identity_->caller_of(with_token(in.token)).credential);
    EXPECT_EQ(caller.credential.find(in.session), std::string::npos);
    EXPECT_TRUE(identity_->login("bo@x.org", test_password, {.address = "a"}).session.empty());
}

TEST_F(Sessions, AreStoredAsHashesOnlyS63) {
    add("bo@x.org", "agent");
    const SignInResult in = browser_login("bo@x.org");
    const Row row = *store_->read([](Session& session) {
        const Rows rows = session.run_text("SELECT hash FROM sessions");
        return rows.empty() ? std::nullopt : std::optional(rows[0]);
    });
    EXPECT_EQ(row.bytes(0), sha256(in.session));
}

TEST_F(Sessions, HaveACookieThatNoScriptReadsS63) {
    EXPECT_EQ(session_cookie("abc"),
              "__Host-pb=abc; Path=/; Max-Age=604800; Secure; HttpOnly; SameSite=Lax");
    EXPECT_EQ(ended_session_cookie(),
              "__Host-pb=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
}

TEST_F(Sessions, EndWhenIdleForTwelveHoursS63) {
    add("bo@x.org", "agent");
    const std::string secret = browser_login("bo@x.org").session;
    for (int i = 0; i < 3; ++i) {
        clock_.advance(11h);
        EXPECT_EQ(code(with_cookie(secret)), "");
        store_->write([](Transaction&) {});
        store_->write([](Transaction&) {}, Urgency::background);  // Behind the note of its use.
    }
    clock_.advance(12h);
    EXPECT_EQ(code(with_cookie(secret)), "unauthenticated");
}

TEST_F(Sessions, EndAfterSevenDaysHoweverBusyS63) {
    add("bo@x.org", "agent");
    const std::string secret = browser_login("bo@x.org").session;
    for (int hours = 0; hours < 160; hours += 8) {
        clock_.advance(8h);
        EXPECT_EQ(code(with_cookie(secret)), "");
        store_->write([](Transaction&) {}, Urgency::background);
    }
    clock_.advance(8h);
    EXPECT_EQ(code(with_cookie(secret)), "unauthenticated");
}

TEST_F(Sessions, EndAtLogoutWithTheTokensOfThatSignInOnlyS63) {
    const User bo = add("bo@x.org", "agent");
    const SignInResult here = browser_login("bo@x.org");
    const SignInResult there = browser_login("bo@x.org");
    const Caller caller = identity_->caller_of(with_token(here.token));
    const std::string renewed = identity_->refresh(caller).token;
    told_.clear();
    identity_->log_out(caller);
    EXPECT_EQ(told_, (std::vector<AccessChange>{ended(bo.id, caller.credential)}));
    EXPECT_EQ(code(with_token(here.token)), "unauthenticated");
    EXPECT_EQ(code(with_token(renewed)), "unauthenticated");
    EXPECT_EQ(code(with_cookie(here.session)), "unauthenticated");
    EXPECT_EQ(code(with_token(there.token)), "");
    EXPECT_EQ(code(with_cookie(there.session)), "");
    clock_.advance(25h);
    while (sweep_sign_ins(*store_)) continue;
    EXPECT_EQ(code(with_token(here.token)), "token_expired") << "what withdrew it may go by then";
}

TEST_F(Sessions, EndWhenTheUserIsDisabledOrGetsANewPasswordS63) {
    const User bo = add("bo@x.org", "agent");
    const User ann = add("ann@x.org", "agent");
    const SignInResult of_bo = browser_login("bo@x.org");
    const SignInResult of_ann = browser_login("ann@x.org");
    told_.clear();
    change(bo, {.active = false});
    store_->write([&](Transaction& tx) {
        set_password(tx, ann.id, identity_->passwords().hash("another long one"), true,
                     clock_.now_ms());
    });
    EXPECT_EQ(told_, (std::vector<AccessChange>{ended(bo.id), ended(ann.id)}));
    EXPECT_EQ(code(with_cookie(of_bo.session)), "unauthenticated");
    EXPECT_EQ(code(with_cookie(of_ann.session)), "unauthenticated");
    EXPECT_EQ(code(with_token(of_ann.token)), "unauthenticated");
}

TEST_F(Sessions, EndWithTheirUserS63) {
    const User bo = store_->write([&](Transaction& tx) {
        return add_user(tx, ids_, {"bo@x.org", "Bo", "agent", {}, ""}, clock_.now_ms());
    });
    const std::string token = identity_->token_for("bo@x.org", {}).token;
    told_.clear();
    store_->write([&](Transaction& tx) { delete_user(tx, bo.id); });
    EXPECT_EQ(told_, (std::vector<AccessChange>{ended(bo.id)}));
    EXPECT_EQ(code(with_token(token)), "unauthenticated");
}

TEST_F(Sessions, FollowAChangeOfRightsAtOnceS65) {
    const User bo = add("bo@x.org", "agent", {"Reception"});
    const std::string secret = browser_login("bo@x.org").session;
    told_.clear();
    change(bo, {.role = "viewer"});
    change(bo, {.departments = std::vector<std::string>{"Management"}});
    const AccessChange rights{bo.id, "", AccessChange::Kind::rights_changed};
    EXPECT_EQ(told_, (std::vector<AccessChange>{rights, rights}));
    const Caller caller = identity_->caller_of(with_cookie(secret));
    EXPECT_EQ(caller.role, "viewer");
    EXPECT_EQ(caller.departments, std::vector<std::string>{"Management"});
}

TEST_F(Sessions, TellListenersOfTheIdentity) {
    const User bo = add("bo@x.org", "agent");
    std::vector<AccessChange> heard;
    identity_->on_access_change([&](const AccessChange& change) { heard.push_back(change); });
    store_->on_changes([this](const Changes& changes) { identity_->tell(changes); });
    change(bo, {.name = "Bo Lind"});
    EXPECT_TRUE(heard.empty()) << "a name is no right";
    change(bo, {.active = false});
    EXPECT_EQ(heard, (std::vector<AccessChange>{ended(bo.id)}));
    store_->on_changes({});
}

TEST_F(Sessions, RenewTokensForSevenDays) {
    add("bo@x.org", "agent");
    std::string token = browser_login("bo@x.org").token;
    const TimeMs began = clock_.now_ms();
    for (int hours = 0; hours < 156; hours += 12) {
        clock_.advance(12h - 1s);
        SignInResult renewed = identity_->refresh(identity_->caller_of(with_token(token)));
        EXPECT_LE(renewed.expires_at, began + 7 * 24 * 3'600'000);
        token = renewed.token;
    }
    clock_.set(began + 7 * 24 * 3'600'000 - 30'000);
    token = identity_->token_for("bo@x.org", 5min).token;
    Caller old = identity_->caller_of(with_token(token));
    old.signed_in_at = began;
    clock_.set(began + 7 * 24 * 3'600'000);
    EXPECT_EQ(code_of([&] { identity_->refresh(old); }), "token_expired");
}

TEST_F(Sessions, AreRefusedInOddCookies) {
    add("bo@x.org", "agent");
    const std::string secret = browser_login("bo@x.org").session;
    HttpRequest twice;
    twice.headers.push_back({"Cookie", "__Host-pb=" + secret + "; __Host-pb=" + secret});
    EXPECT_EQ(code(twice), "unauthenticated");
    HttpRequest two_headers = with_cookie(secret);
    two_headers.headers.push_back({"Cookie", "a=b"});
    EXPECT_EQ(code(two_headers), "unauthenticated");
    EXPECT_EQ(code(with_cookie(secret + "x")), "unauthenticated");
    EXPECT_FALSE(identity_->caller_of(with_cookie("")).signed_in());
    HttpRequest other;
    other.headers.push_back({"Cookie", "x__Host-pb=" + secret + "; __host-pb=" + secret});
    EXPECT_FALSE(identity_->caller_of(other).signed_in());
}

}  // namespace
}  // namespace patchbay
