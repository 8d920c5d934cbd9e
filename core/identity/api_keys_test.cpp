#include "identity/api_keys.hpp"

#include <patchbay/text.hpp>
#include <regex>

#include "base/crypto.hpp"
#include "identity/test_identity.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class ApiKeysOf : public IdentityTest {
protected:
    ApiKeysOf() { admin_ = add("admin@x.org", "admin"); }
    ApiKeys::Made make(std::vector<std::string> scopes, std::vector<std::string> departments = {},
                       std::optional<TimeMs> expires_at = {}) {
        return store_->write([&](Transaction& tx) {
            return identity_->api_keys().add(tx,
                                             {.user_id = admin_.id,
                                              .name = "Shop",
                                              .scopes = scopes,
                                              .departments = departments,
                                              .expires_at = expires_at},
                                             clock_.now_ms());
        });
    }
    static HttpRequest with_header(const std::string& name, const std::string& value) {
        HttpRequest request;
        request.headers.push_back({name, value});
        return request;
    }
    std::string code(const HttpRequest& request) {
        return code_of([&] { identity_->caller_of(request); });
    }
    User admin_;
};

TEST_F(ApiKeysOf, ProgramsAreTakenInBothHeadersS66) {
    const auto made = make({"messages:read", "ops"}, {"Reception"});
    for (const HttpRequest& request :
         {with_token(made.secret), with_header("X-API-Key", made.secret)}) {
        const Caller caller = identity_->caller_of(request);
        EXPECT_EQ(caller.kind, "key");
        EXPECT_EQ(caller.id, made.key.id);
        EXPECT_EQ(caller.role, "api");
        EXPECT_EQ(caller.scopes, (std::set<std::string>{"messages:read", "ops"}));
        EXPECT_EQ(caller.departments, std::vector<std::string>{"Reception"});
        EXPECT_FALSE(sight_of(caller).all);
    }
    EXPECT_TRUE(sight_of(identity_->caller_of(with_token(make({}).secret))).all);
}

TEST_F(ApiKeysOf, ProgramsHaveAFormThatScannersKnowS66) {
    const auto made = make({});
    EXPECT_TRUE(std::regex_match(made.secret, std::regex("pb_live_[A-Za-z0-9_-]{49}")))
        << made.secret.size();
    EXPECT_EQ(from_base64url(made.secret.substr(8, 43)).value_or("").size(), 32u);
    EXPECT_EQ(made.secret.substr(0, 14), made.key.prefix);
    EXPECT_TRUE(is_api_key(made.secret));
    std::string other = made.secret;
    other[20] = other[20] == 'a' ? 'b' : 'a';
    EXPECT_FALSE(is_api_key(other));
    EXPECT_FALSE(is_api_key(made.secret.substr(0, 56)));
    EXPECT_FALSE(is_api_key(made.secret + "A"));
    EXPECT_NE(make({}).secret, made.secret);
}

TEST_F(ApiKeysOf, ProgramsAreStoredAsPepperedHashesS66) {
    const auto made = make({"messages:read"});
    const Rows rows = store_->read(
        [](Session& session) { return session.run_text("SELECT hash FROM api_keys"); });
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(rows[0].bytes(0).size(), 32u);
    EXPECT_NE(rows[0].bytes(0), sha256(made.secret));
    EXPECT_EQ(code(with_token(made.secret)), "");
    // The same database with another pepper knows no key.
    std::filesystem::remove(config_.state_folder() / "api_keys.pepper");
    identity_ = std::make_unique<Identity>(current_config_, *store_, ids_,
                                           ScryptCost{.log2_n = 4, .r = 8, .p = 1});
    EXPECT_EQ(code(with_token(made.secret)), "unauthenticated");
}

TEST_F(ApiKeysOf, ProgramsEndS66) {
    const auto made = make({"messages:read"}, {}, clock_.now_ms() + 60'000);
    const auto other = make({"messages:read"});
    EXPECT_EQ(identity_->caller_of(with_token(made.secret)).expires_at, clock_.now_ms() + 60'000);
    clock_.advance(60s);
    EXPECT_EQ(code(with_token(made.secret)), "token_expired");
    told_.clear();
    EXPECT_TRUE(store_->write([&](Transaction& tx) {
        return identity_->api_keys().revoke(tx, other.key.id, clock_.now_ms());
    }));
    EXPECT_EQ(code(with_token(other.secret)), "unauthenticated");
    EXPECT_EQ(told_,
              (std::vector<AccessChange>{{other.key.id, other.key.id, AccessChange::Kind::ended}}));
    EXPECT_FALSE(store_->write([&](Transaction& tx) {
        return identity_->api_keys().revoke(tx, other.key.id, clock_.now_ms());
    }));
}

TEST_F(ApiKeysOf, ProgramsEndWithTheirUsersRightToMakeThemS66) {
    const auto made = make({"ops"});
    add("owner@x.org", "owner");
    change(admin_, {.role = "viewer"});
    EXPECT_EQ(code(with_token(made.secret)), "unauthenticated");
    change(admin_, {.role = "admin"});
    EXPECT_EQ(code(with_token(made.secret)), "");
    change(admin_, {.active = false});
    EXPECT_EQ(code(with_token(made.secret)), "unauthenticated");
}

TEST_F(ApiKeysOf, ProgramsAreSeenWhenTheyWereUsedLastS66) {
    const auto made = make({"ops"});
    const auto last_used = [&] {
        store_->write([](Transaction&) {}, Urgency::background);
        return store_->read([&](Session& s) { return find_api_key(s, made.key.id)->last_used_at; });
    };
    EXPECT_FALSE(last_used());
    code(with_token(made.secret));
    EXPECT_EQ(last_used(), clock_.now_ms());
    const TimeMs first = clock_.now_ms();
    clock_.advance(59s);
    code(with_token(made.secret));
    EXPECT_EQ(last_used(), first) << "one write in a minute is enough";
    clock_.advance(1s);
    code(with_token(made.secret));
    EXPECT_EQ(last_used(), clock_.now_ms());
}

TEST_F(ApiKeysOf, ProgramsAreRefusedInOddFormsS66) {
    const std::string secret = make({"ops"}).secret;
    EXPECT_EQ(code(with_header("X-API-Key", "pb_live_")), "unauthenticated");
    EXPECT_EQ(code(with_header("X-API-Key", "")), "unauthenticated");
    EXPECT_EQ(code(with_header("X-API-Key", identity_->token_for("admin@x.org", {}).token)),
              "unauthenticated");
    HttpRequest both = with_token(secret);
    both.headers.push_back({"X-API-Key", secret});
    EXPECT_EQ(code(both), "unauthenticated") << "two credentials may be two callers";
    HttpRequest twice = with_header("X-API-Key", secret);
    twice.headers.push_back(twice.headers[0]);
    EXPECT_EQ(code(twice), "unauthenticated");
}

}  // namespace
}  // namespace patchbay
