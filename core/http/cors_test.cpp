#include "http/cors.hpp"

#include <gtest/gtest.h>

#include "http/problem.hpp"
#include "http/stages.hpp"

namespace patchbay {
namespace {

const std::string ours = "https://app.example";

/// Without the headers that every answer has.
Response answer_to(const std::string& method, const std::string& path, std::vector<HttpHeader> sent,
                   std::vector<std::string> origins = {ours, "http://localhost:4200"}) {
    Router router;
    const auto fine = [](const ExchangePtr& exchange) {
        exchange->answer({.status = 200, .body = "{}", .headers = {{"vary", "Accept"}}});
    };
    const auto fails = [](const ExchangePtr&) { throw Problem("unknown_id"); };
    router.add({.name = "a", .method = "GET", .path = "/api/v1/things"}, fine);
    router.add({.name = "b", .method = "POST", .path = "/api/v1/things"}, fine);
    router.add({.name = "c", .method = "GET", .path = "/api/v1/lost"}, fails);
    router.add({.name = "d", .method = "POST", .path = "/hooks/sms/message"}, fine);
    Response answer;
    const RequestPipeline pipeline{
        answer_errors,
        allow_origins([origins = std::make_shared<const std::vector<std::string>>(
                           std::move(origins))] { return origins; }),
        find_route(router)};
    pipeline.run(std::make_shared<Exchange>(
        HttpRequest{.method = method, .target = path, .path = path, .headers = std::move(sent)},
        "req-1", [&](Response made) { answer = std::move(made); }));
    return answer;
}

bool has_cors_header(const Response& answer) {
    for (const auto& [name, value] : answer.headers)
        if (name.starts_with("access-control-")) return true;
    return false;
}

std::string value_of(const Response& answer, const std::string& name) {
    const auto found = answer.headers.find(name);
    return found == answer.headers.end() ? "" : found->second;
}

TEST(Cors, LetsAPageOfAnOriginOfTheListReadAnswersS6B) {
    const Response answer = answer_to("GET", "/api/v1/things", {{"Origin", ours}});
    EXPECT_EQ(value_of(answer, "access-control-allow-origin"), ours);
    EXPECT_EQ(value_of(answer, "access-control-allow-credentials"), "true");
    EXPECT_NE(value_of(answer, "access-control-expose-headers").find("X-Request-Id"),
              std::string::npos);
    EXPECT_EQ(value_of(answer, "vary"), "Accept, Origin");
}

TEST(Cors, LetsItReadRefusalsTooS6B) {
    for (const std::string path : {"/api/v1/lost", "/api/v1/nowhere"}) {
        const Response answer = answer_to("GET", path, {{"Origin", ours}});
        EXPECT_EQ(answer.status, 404);
        EXPECT_EQ(value_of(answer, "access-control-allow-origin"), ours);
    }
}

TEST(Cors, AnswersAPreflightS6B) {
    const Response answer =
        answer_to("OPTIONS", "/api/v1/things",
                  {{"Origin", "http://localhost:4200"}, {"Access-Control-Request-Method", "POST"}});
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(value_of(answer, "access-control-allow-origin"), "http://localhost:4200");
    EXPECT_EQ(value_of(answer, "access-control-allow-methods"), "GET, HEAD, OPTIONS, POST");
    EXPECT_NE(value_of(answer, "access-control-allow-headers").find("Authorization"),
              std::string::npos);
    EXPECT_EQ(value_of(answer, "access-control-max-age"), "600");
    EXPECT_EQ(value_of(answer, "vary"),
              "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
}

TEST(Cors, TellsNothingToAnyOtherOriginS6B) {
    for (const std::string origin :
         {"null", "https://app.example.evil.org", "https://evil-app.example",
          "https://app.example/", "https://x.app.example", "http://app.example",
          "https://app.example:444", "https://APP.example", "*", ""}) {
        for (const std::string method : {"GET", "OPTIONS"}) {
            const Response answer =
                answer_to(method, "/api/v1/things",
                          {{"Origin", origin}, {"Access-Control-Request-Method", "GET"}});
            EXPECT_FALSE(has_cors_header(answer)) << method << " from " << origin;
            EXPECT_NE(value_of(answer, "vary").find("Origin"), std::string::npos) << origin;
        }
    }
    EXPECT_FALSE(has_cors_header(
        answer_to("GET", "/api/v1/things", {{"Origin", ours}, {"Origin", "https://evil.org"}})))
        << "two origins are none";
    EXPECT_FALSE(
        has_cors_header(answer_to("GET", "/api/v1/things", {{"Origin", "null"}}, {"null"})))
        << "null is anybody, whatever a list says";
    EXPECT_FALSE(has_cors_header(answer_to("GET", "/api/v1/things", {{"Origin", ours}}, {"*"})));
}

TEST(Cors, IsOffByDefaultAndNotForProvidersS6B) {
    const Response off = answer_to("GET", "/api/v1/things", {{"Origin", ours}}, {});
    EXPECT_FALSE(has_cors_header(off));
    EXPECT_EQ(value_of(off, "vary"), "Accept");
    const Response hook = answer_to("POST", "/hooks/sms/message", {{"Origin", ours}});
    EXPECT_EQ(hook.status, 200);
    EXPECT_FALSE(has_cors_header(hook));
}

}  // namespace
}  // namespace patchbay
