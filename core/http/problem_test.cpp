#include "http/problem.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "base/json.hpp"
#include "http/json_body.hpp"
#include "http/query.hpp"
#include "http/response_writer.hpp"
#include "http/stages.hpp"
#include "store/store.hpp"

namespace patchbay {
namespace {

using testing::HasSubstr;

/// What a handler that throws makes of a request.
template <class Thrown>
Response answer_to(const Thrown& thrown, bool problem_bodies = true) {
    Response answer;
    const auto exchange =
        std::make_shared<Exchange>(HttpRequest{.path = "/api/x"}, "req-1",
                                   [&](Response response) { answer = std::move(response); });
    exchange->route = std::make_shared<RouteEntry>(
        RouteEntry{{.name = "x", .problem_bodies = problem_bodies}, {}});
    answering_errors(exchange, [&] { throw thrown; });
    return answer;
}

JsonValue body_of(const Response& response) { return parse_json(response.body); }

TEST(Problem, AnswersWithAllItsMembers) {
    const Response answer = answer_to(Problem("missing_field", "customerEmail is required.",
                                              {{"/customerEmail", "missing_field", "is required"}})
                                          .status_is(400)
                                          .with("success", "false"));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
    EXPECT_EQ(answer.headers.at("x-request-id"), "req-1");
    const JsonValue body = body_of(answer);
    EXPECT_EQ(text_at(body, "type"), "/docs/errors/missing_field");
    EXPECT_EQ(text_at(body, "title"), "A required field is missing");
    EXPECT_EQ(int_at(body, "status"), 400);
    EXPECT_EQ(text_at(body, "code"), "missing_field");
    EXPECT_EQ(text_at(body, "detail"), "customerEmail is required.");
    EXPECT_EQ(text_at(body, "instance"), "req-1");
    EXPECT_EQ(text_at(body, "errors.0.pointer"), "/customerEmail");
    EXPECT_EQ(text_at(body, "errors.0.code"), "missing_field");
    EXPECT_EQ(text_at(body, "success"), "false");
}

TEST(Problem, KeepsForeignTextInsideItsStrings) {
    const Response answer = answer_to(Problem("unknown_id", "no \"x\"\n\xFF</script>"));
    EXPECT_THAT(text_at(body_of(answer), "detail").value(), testing::StartsWith("no \"x\"\n"));
}

TEST(Problem, TellsWhenToComeBackWith429And503) {
    for (const ErrorCode& entry : error_codes()) {
        if (entry.status != 429 && entry.status != 503) continue;
        EXPECT_EQ(answer_to(Problem(entry.code)).headers.at("retry-after"), "1") << entry.code;
    }
    EXPECT_EQ(answer_to(Problem("channel_unavailable").retry_after(std::chrono::seconds(60)))
                  .headers.at("retry-after"),
              "60");
}

TEST(Problem, HasAnEmptyBodyOnWebhookRoutes) {
    const Response answer = answer_to(Problem("storage_unavailable"), false);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer.headers.at("retry-after"), "1");
}

TEST(Problem, HasACodeOfTheTable) { EXPECT_THROW(Problem("no_such_code"), std::logic_error); }

struct ErrorCase {
    ErrorKind kind;
    int status;
    const char* code;
};

const ErrorCase error_cases[] = {
    {ErrorKind::unauthorized, 401, "unauthenticated"},
    {ErrorKind::forbidden, 403, "forbidden"},
    {ErrorKind::not_found, 404, "unknown_id"},
    {ErrorKind::conflict, 409, "plugin_failed"},
    {ErrorKind::refused, 422, "provider_refused"},
    {ErrorKind::rate_limited, 429, "rate_limited"},
    {ErrorKind::timed_out, 503, "provider_unavailable"},
    {ErrorKind::unavailable, 503, "provider_unavailable"},
    {ErrorKind::stopping, 503, "stopping"},
    {ErrorKind::internal, 500, "internal"},
    {ErrorKind::config, 500, "internal"},
};

TEST(Problem, IsMadeOfEachKindOfError) {
    for (const auto& [kind, status, code] : error_cases) {
        SCOPED_TRACE(word(kind));
        const Response answer = answer_to(Error(kind, "words of api.example"));
        EXPECT_EQ(answer.status, status);
        EXPECT_EQ(text_at(body_of(answer), "code"), code);
        EXPECT_EQ(answer.body.find("api.example") != std::string::npos, status < 500) << "S22";
    }
    EXPECT_EQ(answer_to(RequestError(400, "\"to\" is missing")).status, 400);
    EXPECT_EQ(answer_to(RequestError(413, "too large")).status, 413);
}

TEST(Problem, IsMadeOfStoreAndJsonErrors) {
    const Response full = answer_to(StoreError(StoreError::Kind::full, "disk"));
    EXPECT_EQ(full.status, 503);
    EXPECT_EQ(text_at(body_of(full), "code"), "storage_unavailable");
    EXPECT_EQ(answer_to(StoreError(StoreError::Kind::constraint, "UNIQUE")).status, 500);
    const Response json = answer_to(JsonError(17, "comma expected"));
    EXPECT_EQ(json.status, 400);
    EXPECT_EQ(int_at(body_of(json), "offset"), 17) << "S32";
}

TEST(ErrorCodes, HaveAPageEach) {
    std::set<std::string> pages, codes;
    for (const auto& entry :
         std::filesystem::directory_iterator(PATCHBAY_SOURCE_DIR "/docs/errors")) {
        if (entry.path().extension() != ".md") continue;
        pages.insert(entry.path().stem());
        std::ifstream in(entry.path());
        std::stringstream text;
        text << in.rdbuf();
        EXPECT_THAT(text.str(), testing::StartsWith("# " + entry.path().stem().string() + "\n"));
        EXPECT_THAT(text.str(), HasSubstr("## What to do")) << entry.path();
    }
    for (const ErrorCode& entry : error_codes())
        EXPECT_TRUE(codes.insert(entry.code).second) << entry.code << " stands twice";
    EXPECT_EQ(pages, codes);
    EXPECT_EQ(codes.size(), 75u);
}

std::string code_thrown(const std::function<void()>& work) {
    try {
        work();
    } catch (const Problem& problem) {
        return problem.code + " " + std::to_string(problem.status);
    }
    return "none";
}

TEST(JsonBody, IsAnObjectReadStrictly) {
    const auto with = [](const std::string& body) {
        return HttpRequest{.headers = {{"Content-Length", "1"}}, .body = body};
    };
    EXPECT_EQ(parse_json_object(with(R"({"a": 1})"))->getValue<int>("a"), 1);
    for (const std::string body : {"", "[]", "{\"a\": 1, \"a\": 2}", "{} x", "\xEF\xBB\xBF{}",
                                   "{\"a\": \"\\ud800\"}", "{\"a\": 1e999}"})
        EXPECT_EQ(code_thrown([&] { parse_json_object(with(body)); }), "invalid_json 400")
            << "S32 " << body;
    EXPECT_EQ(code_thrown([&] { parse_json_object(HttpRequest{}); }), "length_required 411")
        << "S07";
}

TEST(Query, KeepsOrderAndRefusesRepeats) {
    const Query query = Query::parse("a=1&b=%2B27&c=+27&&d&e=x%3Dy&f=1&f=2");
    EXPECT_EQ(query.all().size(), 7u);
    EXPECT_EQ(query.find("b"), "+27");
    EXPECT_EQ(query.find("c"), " 27");
    EXPECT_EQ(query.find("d"), "");
    EXPECT_EQ(query.find("e"), "x=y");
    EXPECT_EQ(query.find("none"), std::nullopt);
    EXPECT_THAT(query.values("f"), testing::ElementsAre("1", "2"));
    EXPECT_EQ(code_thrown([&] { query.find("f"); }), "duplicate_parameter 400") << "S20";
    EXPECT_EQ(code_thrown([&] { query.require_known({"a", "b"}); }), "unknown_parameter 400");
    EXPECT_EQ(code_thrown([] { Query::parse("a=%zz"); }), "invalid_field 400");
    EXPECT_EQ(code_thrown([] { Query::parse("a=%00"); }), "invalid_field 400");
    EXPECT_EQ(code_thrown([] { Query::parse("a=%ff"); }), "invalid_field 400");
}

TEST(AnswerHead, WritesOurHeadersOnceAndRefusesUnsafeOnes) {
    std::string out;
    EXPECT_TRUE(
        write_answer_head(out,
                          {.status = 201,
                           .body = "12",
                           .headers = {{"content-type", "text/plain"}, {"Content-Length", "99"}}},
                          {.keep_alive = false, .date = "D"}));
    EXPECT_EQ(out,
              "HTTP/1.1 201 Created\r\nDate: D\r\nContent-Type: text/plain\r\nContent-Length: "
              "2\r\nConnection: close\r\n\r\n");
    for (const std::string& value :
         std::vector<std::string>{"a\r\nb: c", "a\nb", "a\rb", {"a\0b", 3}}) {
        std::string none;
        EXPECT_FALSE(write_answer_head(none, {.headers = {{"location", value}}}, {})) << "S21";
        EXPECT_FALSE(write_answer_head(none, {.headers = {{"x" + value, "1"}}}, {})) << "S21";
        EXPECT_EQ(none, "");
    }
}

TEST(Pipeline, RunsStagesInOrderAndCatchesWhatALaterThreadThrows) {
    std::vector<std::string> order;
    std::function<void()> later;
    Response answer;
    const RequestPipeline pipeline{
        [&](const ExchangePtr& exchange, const Next& next) {
            order.push_back("first");
            exchange->before_answer([&](Response& response) { response.headers["x-hook"] = "1"; });
            next(exchange);
        },
        [&](const ExchangePtr& exchange, const Next& next) {
            order.push_back("second");
            later = [exchange, next] { next(exchange); };
        },
        [&](const ExchangePtr&, const Next&) {
            order.push_back("third");
            throw Problem("forbidden");
        },
    };
    {
        const auto exchange =
            std::make_shared<Exchange>(HttpRequest{.path = "/x"}, "req-1",
                                       [&](Response response) { answer = std::move(response); });
        pipeline.run(exchange);
    }
    EXPECT_THAT(order, testing::ElementsAre("first", "second"));
    later();
    EXPECT_THAT(order, testing::ElementsAre("first", "second", "third"));
    EXPECT_EQ(answer.status, 403);
    EXPECT_EQ(answer.headers.at("x-hook"), "1");
}

}  // namespace
}  // namespace patchbay
