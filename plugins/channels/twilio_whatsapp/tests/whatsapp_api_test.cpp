#include "endpoints.hpp"
#include "shapes.hpp"

namespace patchbay::twilio_whatsapp {
namespace {

using testing::ElementsAre;

struct WhatsAppEndpoints : Endpoints {
    messaging::ChannelState state;
    WhatsAppEndpoints() {
        hub_answers<>(method::channel_state, [this] { return state; });
    }
};

struct WordCase {
    DeliveryStatus status;
    const char* word;
};

TEST(WhatsAppShapes, PrintEachStatusAsItsWordS3_21) {
    const WordCase cases[] = {
        {DeliveryStatus::queued, "queued"},  {DeliveryStatus::sending, "queued"},
        {DeliveryStatus::unknown, "queued"}, {DeliveryStatus::accepted, "sent"},
        {DeliveryStatus::sent, "sent"},      {DeliveryStatus::delivered, "sent"},
        {DeliveryStatus::read, "read"},      {DeliveryStatus::failed, "failed"},
        {DeliveryStatus::expired, "failed"}, {DeliveryStatus::cancelled, "failed"},
    };
    for (const auto& [status, word] : cases) EXPECT_EQ(status_word(status), word);
}

TEST_F(WhatsAppEndpoints, TellTheirHealthAsTheSeedPrintsItS3_07) {
    const Response reply = get("health");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, R"({"status":"healthy","is_configured":true,"provider":"Twilio",)"
                          R"("message":"Twilio WhatsApp integration ready"})");
    EXPECT_EQ(channel.health().state, Health::up);
    EXPECT_TRUE(channel.provider_requests().empty());
}

TEST_F(WhatsAppEndpoints, TellWhyTheyAreUnhealthyS3_42) {
    state.paused = "auth_failed";
    EXPECT_EQ(get("health").body,
              R"({"status":"unhealthy","is_configured":true,)"
              R"("provider":"Twilio","message":"Twilio refuses the credentials"})");
    state = {.breaker_open = true};
    EXPECT_THAT(get("health").body, testing::HasSubstr("Twilio does not answer"));
    EXPECT_EQ(channel.health().state, Health::down);
}

TEST_F(WhatsAppEndpoints, AnswerForAnInstanceThatDidNotStart) {
    for (const ApiRoute& route : channel.api_routes()) {
        EXPECT_EQ(route.when_off.has_value(), route.name == "health") << route.name;
        if (!route.when_off) continue;
        EXPECT_EQ(route.when_off->status, 503);
        EXPECT_EQ(route.when_off->body,
                  R"({"status":"misconfigured","is_configured":false,"provider":"Twilio",)"
                  R"("message":"Missing Twilio configuration"})");
    }
}

TEST_F(WhatsAppEndpoints, AnswerWhoShowsTheVerifyTokenS3_27_S3_08) {
    const std::string token = "BarronPMSWebhookToken2024";
    const Response verified = get("probe", {{"verify_token", token}});
    EXPECT_EQ(verified.status, 200);
    EXPECT_EQ(verified.body, R"({"status":"verified"})");
    const Response echoed =
        get("probe", {{"hub.verify_token", token}, {"hub.challenge", "1158201444"}});
    EXPECT_EQ(echoed.body, "1158201444");
    EXPECT_EQ(echoed.header("content-type"), "text/plain");
    EXPECT_EQ(get("probe", {{"verify_token", token}, {"challenge", "abc"}}).body, "abc");
    for (const Labels& query : {Labels{}, Labels{{"verify_token", "wrong"}},
                                Labels{{"verify_token", token}, {"challenge", "<script>"}}}) {
        const Response refused = get("probe", query);
        EXPECT_EQ(refused.status, 403);
        EXPECT_EQ(refused.body, "");
    }
}

TEST_F(WhatsAppEndpoints, VerifyNobodyWhereNoTokenIsSet) {
    ChannelUnderTest without{
        "twilio_whatsapp",
        {{"account_sid", account}, {"auth_token", "a-token"}, {"from", "whatsapp:" + number}}};
    EXPECT_EQ(
        without.answer({.route = "probe", .method = "GET", .query = {{"verify_token", ""}}}).status,
        403);
}

TEST_F(WhatsAppEndpoints, AreForThoseWhoMayUseThemS3_35) {
    std::map<std::string, std::string> scopes;
    for (const ApiRoute& route : channel.api_routes()) {
        scopes[route.name] = route.scope;
        if (route.name == "send") {
            EXPECT_THAT(route.callers, ElementsAre("owner", "admin", "agent", "expert"));
        } else if (route.name == "messages" || route.name == "contacts") {
            EXPECT_THAT(route.callers, ElementsAre("owner", "admin", "agent", "viewer"));
        } else if (route.name == "health" || route.name == "probe") {
            EXPECT_THAT(route.callers, ElementsAre("public"));
        } else {
            EXPECT_THAT(route.callers, ElementsAre("owner", "admin", "agent")) << route.name;
        }
    }
    EXPECT_EQ(scopes, (std::map<std::string, std::string>{{"send", "messages:send"},
                                                          {"send_bulk", "messages:bulk"},
                                                          {"bulk", "messages:bulk"},
                                                          {"stop_bulk", "messages:bulk"},
                                                          {"messages", "messages:read"},
                                                          {"contacts", "messages:read"},
                                                          {"read", "messages:write"},
                                                          {"health", ""},
                                                          {"probe", ""}}));
}

}  // namespace
}  // namespace patchbay::twilio_whatsapp
