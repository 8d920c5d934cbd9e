#include "http/server.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "base/json.hpp"
#include "http/framing_cases_test.hpp"
#include "http/loopback_test.hpp"

namespace patchbay {
namespace {

using namespace testing_http;
using testing::HasSubstr;
using testing::Not;

std::string code_of(const Answer& answer) {
    return text_at(parse_json(answer.body), "code").value_or("none");
}

TEST(Server, AnswersARequestWithTheCommonHeaders) {
    TestServer hub;
    hub.echo("/api/echo");
    hub.start();
    const Answer answer = hub.ask(post("/api/echo", "hello", "X-Request-Id: mine-1\r\n"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello");
    EXPECT_EQ(answer.header("X-Request-Id"), "mine-1");
    EXPECT_EQ(answer.header("Cache-Control"), "no-store");
    EXPECT_EQ(answer.header("Date"), "Fri, 15 Jan 2027 08:00:00 GMT");
}

TEST(Server, MakesARequestIdWhenTheSentOneIsOdd) {
    TestServer hub;
    hub.echo("/api/echo");
    hub.start();
    const Answer answer = hub.ask(post("/api/echo", "", "X-Request-Id: a b\r\n"));
    EXPECT_TRUE(answer.header("X-Request-Id").starts_with("req-")) << answer.head;
}

TEST(Server, AnswersPipelinedRequestsInOrderOnOneConnection) {
    TestServer hub;
    hub.echo("/worker");
    hub.echo("/reactor", RunsOn::reactor);
    hub.start();
    RawClient client = hub.client();
    std::string bytes;
    for (int i = 0; i < 200; ++i) bytes += post(i % 2 ? "/worker" : "/reactor", std::to_string(i));
    client.send(bytes);
    for (int i = 0; i < 200; ++i) EXPECT_EQ(client.answer().body, std::to_string(i));
    EXPECT_EQ(hub.server->stats().connections, 1u);
}

TEST(Server, TakesRequestsByteByByteAndChunked) {
    TestServer hub;
    hub.echo("/echo");
    hub.start();
    RawClient client = hub.client();
    const std::string bytes =
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
    for (const char c : bytes) client.send({&c, 1});
    EXPECT_EQ(client.answer().body, "hello!");
}

TEST(Server, AnswersHeadLikeGetWithoutABody) {
    TestServer hub;
    hub.route({.name = "x", .method = "GET", .path = "/x"},
              [](const ExchangePtr& exchange) { exchange->answer({.body = "12345"}); });
    hub.start();
    RawClient client = hub.client();
    const Answer head = client.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n").answer(true);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.header("Content-Length"), "5");
    EXPECT_EQ(client.send(get("/x")).answer().body, "12345")
        << "the body of the former would stand here";
}

TEST(Server, AnswersWhatNoRouteTakesAsProblems) {
    TestServer hub;
    hub.echo("/api/echo");
    hub.route({.name = "json", .method = "POST", .path = "/json", .body = BodyKind::json},
              [](const ExchangePtr& exchange) { exchange->answer({.status = 204}); });
    hub.start();
    const Answer unknown = hub.ask(get("/nothing"));
    EXPECT_EQ(unknown.status, 404);
    EXPECT_EQ(code_of(unknown), "unknown_path");
    EXPECT_EQ(unknown.header("Content-Type"), "application/problem+json");
    EXPECT_EQ(text_at(parse_json(unknown.body), "instance"), unknown.header("X-Request-Id"));
    const Answer method = hub.ask(get("/api/echo/"));
    EXPECT_EQ(method.status, 405) << "S13";
    EXPECT_EQ(method.header("Allow"), "OPTIONS, POST");
    EXPECT_EQ(hub.ask("OPTIONS /api/echo HTTP/1.1\r\nHost: h\r\n\r\n").status, 204);
    EXPECT_EQ(code_of(hub.ask(post("/json", "a=b", "Content-Type: text/plain\r\n"))),
              "unsupported_media_type")
        << "S31";
    const std::string packed = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n";
    EXPECT_EQ(hub.ask(post("/json", "{}", packed)).status, 415) << "S31";
    EXPECT_EQ(
        hub.ask(post("/json", "{}", "Content-Type: Application/JSON; charset=UTF-8\r\n")).status,
        204);
}

TEST(Server, HidesWhatAHandlerThrew) {
    TestServer hub;
    const auto throwing = [&](const std::string& path, RunsOn where,
                              const std::function<void()>& thrower) {
        hub.route({.name = path, .method = "GET", .path = path, .runs_on = where},
                  [thrower](const ExchangePtr&) { thrower(); });
    };
    throwing("/std", RunsOn::worker, [] { throw std::runtime_error("secret"); });
    throwing("/int", RunsOn::reactor, [] { throw 42; });
    throwing("/problem", RunsOn::control,
             [] { throw Problem("unknown_id", "There is no message 7."); });
    throwing("/nothing", RunsOn::worker, [] {});
    hub.start();
    for (const std::string path : {"/std", "/int", "/nothing"}) {
        SCOPED_TRACE("S22 " + path);
        const Answer answer = hub.ask(get(path));
        EXPECT_EQ(answer.status, 500);
        EXPECT_EQ(code_of(answer), "internal");
        EXPECT_THAT(answer.body, Not(HasSubstr("secret")));
    }
    EXPECT_THAT(hub.ask(get("/problem")).body, HasSubstr("There is no message 7."));
}

TEST(Server, NeverSendsAHeaderThatWouldEndIt) {
    TestServer hub;
    hub.route({.name = "x", .method = "GET", .path = "/x"}, [](const ExchangePtr& exchange) {
        exchange->answer({.headers = {{"location", "/a\r\nSet-Cookie: stolen=1"}}});
    });
    hub.start();
    const Answer answer = hub.ask(get("/x"));
    EXPECT_EQ(answer.status, 500) << "S21";
    EXPECT_THAT(answer.head, Not(HasSubstr("stolen")));
    EXPECT_EQ(hub.server->stats().rejected.at("response_header"), 1u);
}

TEST(Server, NeverRunsAHandlerOnHalfARequest) {
    TestServer hub;
    hub.echo("/echo");
    hub.start();
    RawClient client = hub.client();
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello");
    client.end_sending();
    EXPECT_TRUE(client.ended()) << "S08";
    EXPECT_EQ(client.input(), "");
    EXPECT_EQ(hub.handled, 0);
}

TEST(Server, RefusesBadFramingAndReadsNothingBehindIt) {
    TestServer hub;
    hub.echo("/echo");
    hub.start();
    RawClient client = hub.client();
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello" +
                post("/echo", "smuggled"));
    const Answer answer = client.answer();
    EXPECT_EQ(answer.status, 400) << "S04";
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_EQ(text_at(parse_json(answer.body), "instance"), answer.header("X-Request-Id"));
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(client.input(), "");
    EXPECT_EQ(hub.handled, 0);
    EXPECT_EQ(hub.server->stats().rejected.at("content_length"), 1u);
}

TEST(Server, AnswersEveryFramingCaseWithItsStatus) {
    const std::vector<Case> cases = shared_cases();
    if (cases.empty()) GTEST_SKIP() << "shared/framing/cases.json is missing";
    ServerConfig config;
    config.reactors = 2;
    TestServer hub{config};
    std::atomic<bool> smuggled{false};
    hub.echo("/x", RunsOn::reactor);
    hub.route({.name = "smuggled", .method = "GET", .path = "/smuggled"},
              [&](const ExchangePtr& exchange) {
                  smuggled = true;
                  exchange->answer({});
              });
    hub.start();
    for (const Case& test : cases) {
        SCOPED_TRACE(test.rule + " " + test.name);
        RawClient client = hub.client();
        client.send(test.bytes);
        client.end_sending();
        const int status = client.answer().status;
        if (test.expect == "partial" || test.expect == "waits") {
            EXPECT_EQ(status, 0);
        } else if (test.expect.starts_with('4') || test.expect.starts_with('5')) {
            EXPECT_EQ(status, std::stoi(test.expect));
        } else {
            EXPECT_THAT(status, testing::AnyOf(200, 400, 404, 405)) << "what the routes make of it";
        }
        EXPECT_TRUE(client.ended());
    }
    EXPECT_FALSE(smuggled);
    EXPECT_EQ(hub.ask(post("/x", "still here")).body, "still here");
}

TEST(Server, RefusesALargeBodyBeforeReadingIt) {
    TestServer hub;
    hub.echo("/echo");
    hub.start();
    RawClient client = hub.client();
    const Answer answer =
        client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n").answer();
    EXPECT_EQ(answer.status, 413) << "S30";
    EXPECT_EQ(answer.header("Connection"), "close");
    client.end_sending();
    EXPECT_TRUE(client.ended());
}

TEST(Server, DrainsASmallBodyThatNobodyReadsAndClosesOnALargeOne) {
    TestServer hub;
    hub.echo("/echo");
    hub.start();
    RawClient client = hub.client();
    EXPECT_EQ(client.send(post("/nothing", std::string(60'000, 'x'))).answer().status, 404)
        << "S06";
    EXPECT_EQ(client.send(post("/echo", "next")).answer().body, "next");
    const Answer answer =
        client.send("POST /nothing HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n").answer();
    EXPECT_EQ(answer.status, 404) << "S06";
    EXPECT_EQ(answer.header("Connection"), "close");
}

TEST(Server, SendsContinueOnlyToRequestsItWillTake) {
    ServerConfig config;
    config.before_continue = [](const HttpRequest& request,
                                const RouteEntry&) -> std::optional<Response> {
        if (request.header("Authorization")) return std::nullopt;
        return Response{.status = 401};
    };
    TestServer hub{config};
    hub.echo("/echo");
    hub.start();
    const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n";
    RawClient client = hub.client();
    EXPECT_EQ(client.send(head + "Authorization: x\r\nContent-Length: 5\r\n\r\n").answer().status,
              100);
    EXPECT_EQ(client.send("hello").answer().body, "hello");
    EXPECT_EQ(hub.ask(head + "Content-Length: 5\r\n\r\n").status, 401) << "S18";
    EXPECT_EQ(hub.ask(head + "Authorization: x\r\nContent-Length: 9999999\r\n\r\n").status, 413)
        << "S18";
    EXPECT_EQ(
        hub.ask("POST /no HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
            .status,
        404)
        << "S18";
}

TEST(Server, GivesWebhookPathsErrorsWithoutABody) {
    TestServer hub;
    hub.route({.name = "hook",
               .method = "POST",
               .path = "/alias",
               .body = BodyKind::any,
               .max_body_bytes = 10,
               .problem_bodies = false},
              [](const ExchangePtr&) { throw Problem("invalid_signature"); });
    hub.start();
    for (const auto& [bytes, status] :
         std::map<std::string, int>{{post("/alias", "1"), 401},
                                    {post("/alias", "12345678901"), 413},
                                    {get("/alias"), 405},
                                    {post("/hooks/none/message", ""), 404}}) {
        const Answer answer = hub.ask(bytes);
        EXPECT_EQ(answer.status, status);
        EXPECT_EQ(answer.body, "");
    }
}

TEST(Server, AnswersForItsOwnHostsOnly) {
    ServerConfig config;
    config.allowed_hosts = {"hub.example"};
    TestServer hub{config};
    hub.echo("/echo");
    hub.start();
    EXPECT_EQ(hub.ask(post("/echo", "")).status, 421) << "S12";
    EXPECT_EQ(hub.ask("POST /echo HTTP/1.1\r\nHost: Hub.Example:8000\r\nContent-Length: 0\r\n\r\n")
                  .status,
              200);
}

TEST(Server, BelievesForwardedHeadersOfTrustedProxiesOnly) {
    for (const bool trusted : {true, false}) {
        ServerConfig config;
        if (trusted) config.trusted_proxies = {"127.0.0.0/8", "10.1.0.0/16"};
        TestServer hub{config};
        hub.route({.name = "who", .method = "GET", .path = "/who"},
                  [](const ExchangePtr& exchange) {
                      exchange->answer({.body = exchange->request().peer +
                                                (exchange->request().secure ? " secure" : "")});
                  });
        hub.start();
        const Answer answer = hub.ask(
            get("/who",
                "X-Forwarded-For: 6.6.6.6, 203.0.113.7:4711\r\nX-Forwarded-For: 10.1.2.3\r\n"
                "X-Forwarded-Proto: https\r\n"));
        EXPECT_EQ(answer.body, trusted ? "203.0.113.7 secure" : "127.0.0.1");
    }
}

TEST(Server, ServesTheSameRoutesOnItsControlSocket) {
    const std::string path =
        testing::TempDir() + "patchbay_control_" + std::to_string(::getpid()) + ".sock";
    ServerConfig config;
    config.control_socket = path;
    config.allowed_hosts = {"hub.example"};
    TestServer hub{config};
    hub.route({.name = "who", .method = "GET", .path = "/who"}, [](const ExchangePtr& exchange) {
        exchange->answer(
            {.body = exchange->request().peer + (exchange->request().control ? "!" : "")});
    });
    hub.start();
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    RawClient client(path);
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.send(get("/who")).answer().body, "control!");
    Router other;
    EXPECT_THROW(Server(config, hub.clock, hub.ids, other, RequestPipeline{}), Error)
        << "another server is running";
    hub.server->stop(0ms);
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Server, SaysWhichAddressIsTaken) {
    TestServer hub;
    hub.start();
    ServerConfig config;
    config.listen = "127.0.0.1:" + std::to_string(hub.server->port());
    try {
        Server(config, hub.clock, hub.ids, hub.router, RequestPipeline{});
        FAIL() << "two servers on one port";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr(config.listen));
    }
}

}  // namespace
}  // namespace patchbay
