// The plugin as the hub runs it, with a hub that the test directs.
#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <patchbay/testing.hpp>
#include <twilio/json.hpp>

namespace patchbay::twilio_whatsapp {

inline const std::string customer = "+27123456789", number = "+14155552671";
inline const std::string account = "AC0123456789abcdef0123456789abcdef";
inline const std::string message_id = "0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f";

struct Endpoints : testing::Test {
    ChannelUnderTest channel{"twilio_whatsapp",
                             {{"account_sid", account},
                              {"auth_token", "a-token"},
                              {"from", "whatsapp:" + number},
                              {"verify_token", "BarronPMSWebhookToken2024"}}};

    Response post(const std::string& route, const std::string& body, Labels params = {}) {
        return channel.answer({.route = route,
                               .method = "POST",
                               .body = body,
                               .user = "u1",
                               .params = std::move(params),
                               .role = "agent",
                               .departments = {"Reception"},
                               .id = "req-1"});
    }
    Response get(const std::string& route, Labels query = {}, Labels params = {}) {
        return channel.answer({.route = route,
                               .method = "GET",
                               .query = std::move(query),
                               .user = "u1",
                               .params = std::move(params),
                               .role = "agent",
                               .departments = {"Reception"},
                               .id = "req-1"});
    }
    /// Answers one service of the hub with `answer(arguments...)`.
    template <class... In, class Function>
    void hub_answers(uint32_t method, Function answer) {
        channel.host_answers(method, [answer](std::string_view in) {
            std::tuple<In...> arguments;
            std::apply([&](auto&... each) { wire::unpack(in, wire::Text::trusted, each...); },
                       arguments);
            return wire::pack(std::apply(answer, arguments));
        });
    }
    static void expect_problem(const Response& reply, int status, const std::string& code,
                               const std::string& pointer = "") {
        EXPECT_EQ(reply.status, status) << reply.body;
        EXPECT_EQ(reply.header("content-type"), "application/problem+json");
        const auto json = twilio::parse_object(reply.body);
        ASSERT_TRUE(json);
        EXPECT_EQ(twilio::text_at(*json, "code"), code);
        EXPECT_FALSE(json->getValue<bool>("success"));
        EXPECT_TRUE(json->isNull("message_id"));
        EXPECT_EQ(twilio::text_at(*json, "error"), twilio::text_at(*json, "detail"));
        EXPECT_EQ(twilio::text_at(*json, "instance"), "req-1");
        if (pointer.empty()) return;
        EXPECT_EQ(twilio::text_at(*json->getArray("errors")->getObject(0), "pointer"), pointer);
    }
};

}  // namespace patchbay::twilio_whatsapp
