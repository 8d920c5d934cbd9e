#include "identity/ws_tickets.hpp"

#include "identity/test_identity.hpp"

namespace patchbay {
namespace {

class WsTicketTest : public IdentityTest {
protected:
    Caller sign_in(const User& user) {
        return identity_->caller_of(with_token(identity_->token_for(user.id, {}).token));
    }
    std::string use(const WsTicket& ticket) {
        return code_of([&] { use_ws_ticket(*store_, ticket.secret); });
    }
    const User agent_ = add("bo@x.org", "agent", {"Reception"});
};

TEST_F(WsTicketTest, S67StandsForItsSignInOnce) {
    const Caller caller = sign_in(agent_);
    const WsTicket ticket = make_ws_ticket(*store_, caller);
    EXPECT_TRUE(ticket.secret.starts_with("wst_")) << ticket.secret;
    EXPECT_EQ(ticket.expires_at, clock_.now_ms() + 30'000);
    const Caller found = use_ws_ticket(*store_, ticket.secret);
    EXPECT_EQ(found.id, agent_.id);
    EXPECT_EQ(found.role, "agent");
    EXPECT_EQ(found.departments, std::vector<std::string>{"Reception"});
    EXPECT_EQ(found.credential, caller.credential);
    EXPECT_EQ(found.expires_at, caller.expires_at);
    EXPECT_EQ(use(ticket), "unauthenticated") << "a second time";
    EXPECT_EQ(code_of([&] { use_ws_ticket(*store_, "wst_guessed"); }), "unauthenticated");
}

TEST_F(WsTicketTest, S67LivesFor30Seconds) {
    const WsTicket good = make_ws_ticket(*store_, sign_in(agent_));
    const WsTicket late = make_ws_ticket(*store_, sign_in(agent_));
    clock_.advance(std::chrono::milliseconds{29'999});
    EXPECT_EQ(use(good), "");
    clock_.advance(std::chrono::milliseconds{1});
    EXPECT_EQ(use(late), "unauthenticated");
}

TEST_F(WsTicketTest, S65EndsWithItsSignIn) {
    const Caller caller = sign_in(agent_);
    const WsTicket left = make_ws_ticket(*store_, caller);
    const WsTicket other = make_ws_ticket(*store_, sign_in(agent_));
    identity_->log_out(caller);
    EXPECT_EQ(use(left), "unauthenticated") << "signed out";
    EXPECT_EQ(use(other), "") << "another sign-in of the same user";
    const WsTicket demoted = make_ws_ticket(*store_, sign_in(agent_));
    change(agent_, {.role = "viewer"});
    EXPECT_EQ(use(demoted), "unauthenticated") << "another role";
    const WsTicket disabled = make_ws_ticket(*store_, sign_in(agent_));
    change(agent_, {.active = false});
    EXPECT_EQ(use(disabled), "unauthenticated") << "disabled";
}

}  // namespace
}  // namespace patchbay
