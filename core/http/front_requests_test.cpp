// S15 to S34: limits of time and number, paths, answers and bodies.
#include <ifaddrs.h>

#include "http/front_test.hpp"
#include "http/multipart.hpp"
#include "http/query.hpp"

namespace patchbay {
namespace {

using namespace testing_http;
using testing::HasSubstr;
using testing::Not;

class FrontRequests : public Front {};
PATCHBAY_ON_BOTH_WIRES(FrontRequests);

TEST_P(FrontRequests, S15EndsAHeadThatNeverEnds) {
    hub.start();
    RawClient client = hub.client();
    client.send("POST /x HTTP/1.1\r\nHost: h\r\nA: ");
    move_clock_until_it_speaks(client);
    const Answer answer = client.answer();
    EXPECT_EQ(answer.status, 408);
    EXPECT_EQ(code_of(answer), "request_timeout");
    EXPECT_EQ(answer.header("Connection"), "close");
    client.send("1\r\n\r\n" + smuggled);
    client.end_sending();
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(hub.server->stats().rejected["timeout"], 1u);
}

TEST_P(FrontRequests, S15EndsABodyBelowTheSlowestRate) {
    hub.start();
    RawClient client = hub.client();
    client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n" + smuggled);
    move_clock_until_it_speaks(client);
    const Answer answer = client.answer();
    EXPECT_EQ(answer.status, 408);
    EXPECT_EQ(answer.header("Connection"), "close");
    client.end_sending();
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(hub.handled, 0);
}

TEST_P(FrontRequests, S16ClosesIdleConnections) {
    hub.start();
    RawClient fresh = hub.client(), used = hub.client();
    EXPECT_EQ(used.send(post("/x", "1")).answer().body, "1");
    for (RawClient* client : {&fresh, &used}) {
        move_clock_until_it_speaks(*client);
        EXPECT_EQ(client->input(), "");
        EXPECT_TRUE(client->ended());
    }
    eventually([&] { return hub.server->stats().connections == 0; });
}

class OneWorker : public Front {
protected:
    OneWorker() : Front({.workers = 1, .worker_queue = 4}) {}
};
PATCHBAY_ON_BOTH_WIRES(OneWorker);

TEST_P(OneWorker, S16IdleConnectionsHoldNoThread) {
    hub.echo("/worker");
    hub.start();
    std::vector<RawClient> idle;
    for (int i = 0; i < 100; ++i) idle.push_back(hub.client());
    for (RawClient& client : idle) client.send("POST /worker HTTP/1.1\r\n");
    EXPECT_EQ(hub.ask(post("/worker", "hello")).body, "hello");
}

// Bounded for good: however many wait, one runs, four queue, and all others are told to come back.
TEST_P(OneWorker, AFullPoolAnswersBusyAndNeverGrows) {
    Gate running, go_on;
    std::atomic<int> ran{0};
    hub.route({.name = "slow", .method = "GET", .path = "/slow"}, [&](const ExchangePtr& exchange) {
        ++ran;
        running.open();
        go_on.wait();
        exchange->answer({});
    });
    hub.route({.name = "health", .method = "GET", .path = "/health", .runs_on = RunsOn::control},
              [](const ExchangePtr& exchange) { exchange->answer({}); });
    hub.start();
    std::vector<RawClient> taken;
    taken.push_back(hub.client());
    taken.front().send(get("/slow"));
    running.wait();
    for (size_t i = 0; i < 4; ++i) {
        taken.push_back(hub.client());
        taken.back().send(get("/slow"));
        eventually([&] { return hub.server->stats().in_flight == i + 2; });
    }
    RawClient refused = hub.client();
    for (int i = 0; i < 200; ++i) {
        const Answer busy = refused.send(get("/slow")).answer();
        ASSERT_EQ(busy.status, 503);
        EXPECT_EQ(code_of(busy), "busy");
        EXPECT_EQ(busy.header("Retry-After"), "1");
        EXPECT_EQ(busy.header("Connection"), "") << "the connection may be used again";
    }
    eventually([&] { return hub.server->stats().in_flight == 5; });
    EXPECT_EQ(ran, 1);
    EXPECT_EQ(hub.ask(get("/health")).status, 200) << "health has threads of its own";
    EXPECT_EQ(hub.ask(post("/x", "hello")).body, "hello") << "and so has the socket";
    go_on.open();
    for (RawClient& client : taken) EXPECT_EQ(client.answer().status, 200);
    EXPECT_EQ(ran, 5);
    EXPECT_EQ(refused.send(get("/slow")).answer().status, 200);
}

class FewConnections : public Front {
protected:
    FewConnections() : Front({.connections = 2}) {}
};
PATCHBAY_ON_BOTH_WIRES(FewConnections);

TEST_P(FewConnections, S17ClosesThoseOverTheTotal) {
    hub.start();
    RawClient first = hub.client(), second = hub.client();
    EXPECT_EQ(first.send(post("/x", "1")).answer().status, 200);
    EXPECT_EQ(second.send(post("/x", "2")).answer().status, 200);
    EXPECT_TRUE(RawClient(hub.server->port()).ended());
    EXPECT_EQ(hub.server->stats().rejected["connections"], 1u);
    EXPECT_EQ(first.send(post("/x", "1")).answer().status, 200);
}

/// An address of this machine that is not loopback, in host order; 0 when it has none.
uint32_t own_address() {
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return 0;
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, ::freeifaddrs);
    for (const ifaddrs* one = all; one; one = one->ifa_next) {
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET) continue;
        const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
        const uint32_t number = ntohl(address->sin_addr.s_addr);
        if (number >> 24 != 127) return number;
    }
    return 0;
}

std::string text_of(uint32_t address) {
    const in_addr number{htonl(address)};
    char text[INET_ADDRSTRLEN] = "";
    return ::inet_ntop(AF_INET, &number, text, sizeof text);
}

class FewForEach : public Front {
protected:
    explicit FewForEach(std::vector<std::string> trusted = {})
        : Front({.listen = "0.0.0.0:0",
                 .trusted_proxies = std::move(trusted),
                 .connections_per_address = 3}) {
        hub.start();
    }
    RawClient from_outside() { return RawClient(hub.server->port(), GetParam(), own_address()); }
    static bool is_served(RawClient& client) {
        return client.connected() && client.send(post("/x", "1")).answer().status == 200;
    }
};
PATCHBAY_ON_BOTH_WIRES(FewForEach);

TEST_P(FewForEach, S17ClosesThoseAboveTheLimitOfAnAddress) {
    if (own_address() == 0) GTEST_SKIP() << "this machine has loopback only";
    std::vector<RawClient> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(from_outside());
        EXPECT_TRUE(is_served(clients.back()));
    }
    RawClient fourth = from_outside();
    EXPECT_FALSE(is_served(fourth));
    EXPECT_EQ(hub.server->stats().rejected["connections_per_address"], 1u);
    std::vector<RawClient> local;
    for (int i = 0; i < 6; ++i) {
        local.push_back(hub.client());
        EXPECT_TRUE(is_served(local.back())) << "loopback is exempt";
    }
    clients.pop_back();
    eventually([&] {
        RawClient next = from_outside();
        return is_served(next);
    });
}

class FewButTrusted : public FewForEach {
protected:
    FewButTrusted() : FewForEach({text_of(own_address())}) {}
};
PATCHBAY_ON_BOTH_WIRES(FewButTrusted);

TEST_P(FewButTrusted, S17CountsNoConnectionsOfATrustedProxy) {
    if (own_address() == 0) GTEST_SKIP() << "this machine has loopback only";
    std::vector<RawClient> clients;
    for (int i = 0; i < 10; ++i) {
        clients.push_back(from_outside());
        EXPECT_TRUE(is_served(clients.back()));
    }
}

TEST_P(FrontRequests, S18SpendsNo100OnARequestItRefuses) {
    hub.start();
    const std::string expecting = "Host: h\r\nExpect: 100-continue\r\n";
    RawClient client = hub.client();
    client.send("POST /x HTTP/1.1\r\n" + expecting + "Content-Length: 5\r\n\r\n");
    EXPECT_EQ(client.answer().status, 100);
    EXPECT_EQ(client.send("hello").answer().body, "hello");
    expect_refused("POST /x HTTP/1.1\r\n" + expecting + "Content-Length: 9999999\r\n\r\n", 413,
                   "body_too_large");
    expect_refused("POST /no HTTP/1.1\r\n" + expecting + "Content-Length: 50\r\n\r\n", 404,
                   "unknown_path");
}

class AuthorisedFirst : public Front {
protected:
    AuthorisedFirst()
        : Front({.before_continue = [](const HttpRequest& request,
                                       const RouteEntry&) -> std::optional<Response> {
              if (request.header("Authorization")) return std::nullopt;
              return problem_response(Problem("unauthenticated"), "req-1");
          }}) {}
};
PATCHBAY_ON_BOTH_WIRES(AuthorisedFirst);

TEST_P(AuthorisedFirst, S18SpendsNo100OnAStranger) {
    hub.start();
    const std::string head =
        "POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 50\r\n";
    expect_refused(head + "\r\n", 401, "unauthenticated");
    EXPECT_EQ(hub.client().send(head + "Authorization: x\r\n\r\n").answer().status, 100);
}

TEST_P(FrontRequests, S19RefusesPathsThatCouldBeReadTwoWays) {
    hub.start();
    for (const std::string path : {"/%00", "/a%zz", "/a%", "/../x", "/a/%2e%2e/x", "//x", "/a//x",
                                   "/a\\x", "/a%5cx", "/%ff", "http://h/x", "*"})
        expect_refused("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n", 400, "invalid_path");
    EXPECT_EQ(hub.ask(get("/%78")).status, 200) << "routed on the decoded path";
    EXPECT_EQ(hub.ask(get("/%2578")).status, 404) << "and decoded once only";
}

TEST_P(FrontRequests, S20RefusesAParameterThatIsGivenTwice) {
    hub.route({.name = "query", .method = "GET", .path = "/query"},
              [](const ExchangePtr& exchange) {
                  const Query query = Query::parse(exchange->request().query);
                  exchange->answer({.body = query.find("limit").value_or("none")});
              });
    hub.start();
    EXPECT_EQ(hub.ask(get("/query?limit=1&other=2&other=3")).body, "1");
    for (const std::string query : {"limit=1&limit=1", "limit=1&limit=2", "limit=1&%6Cimit=2"}) {
        const Answer answer = hub.ask(get("/query?" + query));
        EXPECT_EQ(answer.status, 400);
        EXPECT_EQ(code_of(answer), "duplicate_parameter");
        EXPECT_EQ(text_at(parse_json(answer.body), "errors.0.pointer"), "?limit");
    }
}

TEST_P(FrontRequests, S20RefusesAFormFieldThatIsGivenTwice) {
    hub.route({.name = "form", .method = "POST", .path = "/form", .body = BodyKind::form},
              [](const ExchangePtr& exchange) {
                  exchange->answer({.body = Form::parse(exchange->request().body).require("to")});
              });
    hub.start();
    const std::string type = "Content-Type: application/x-www-form-urlencoded\r\n";
    EXPECT_EQ(hub.ask(post("/form", "to=1&a=2&a=3", type)).body, "1");
    const Answer answer = hub.ask(post("/form", "to=1&to=1", type));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(code_of(answer), "duplicate_parameter");
    EXPECT_THAT(answer.body, HasSubstr("to"));
}

TEST_P(FrontRequests, S21NeverSendsAHeaderThatWouldEndIt) {
    for (const auto& [path, value] :
         std::map<std::string, std::string>{{"/crlf", "/a\r\nSet-Cookie: stolen=1"},
                                            {"/lf", "/a\nSet-Cookie: stolen=1"},
                                            {"/cr", "/a\rSet-Cookie: stolen=1"},
                                            {"/nul", std::string("/a\0stolen", 9)}})
        hub.route({.name = path, .method = "GET", .path = path},
                  [value = value](const ExchangePtr& exchange) {
                      exchange->answer({.headers = {{"location", value}}});
                  });
    hub.start();
    RawClient client = hub.client();
    for (const std::string path : {"/crlf", "/lf", "/cr", "/nul"}) {
        const Answer answer = client.send(get(path)).answer();
        EXPECT_EQ(answer.status, 500) << path;
        EXPECT_EQ(code_of(answer), "internal");
        EXPECT_THAT(answer.head + answer.body, Not(HasSubstr("stolen")));
    }
    EXPECT_EQ(hub.server->stats().rejected["response_header"], 4u);
}

TEST_P(FrontRequests, S22HidesWhatAHandlerThrew) {
    hub.route({.name = "std", .method = "GET", .path = "/std"},
              [](const ExchangePtr&) { throw std::runtime_error("secret"); });
    hub.route({.name = "int", .method = "GET", .path = "/int", .runs_on = RunsOn::reactor},
              [](const ExchangePtr&) { throw 42; });
    hub.route({.name = "none", .method = "GET", .path = "/none"}, [](const ExchangePtr&) {});
    hub.start();
    RawClient client = hub.client();
    for (const std::string path : {"/std", "/int", "/none"}) {
        const Answer answer = client.send(get(path)).answer();
        EXPECT_EQ(answer.status, 500) << path;
        EXPECT_EQ(code_of(answer), "internal");
        EXPECT_EQ(text_at(parse_json(answer.body), "instance"), answer.header("X-Request-Id"));
        EXPECT_THAT(answer.head + answer.body, Not(HasSubstr("secret")));
    }
}

TEST_P(FrontRequests, S30RefusesABodyOverItsLimit) {
    hub.start();
    RawClient client = hub.client();
    const Answer declared =
        client.send("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n").answer();
    EXPECT_EQ(declared.status, 413) << "before a byte of it was read";
    EXPECT_EQ(declared.header("Connection"), "close");
    expect_refused("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n" +
                       std::string(1 << 20, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n",
                   413, "body_too_large");
    EXPECT_EQ(hub.server->stats().rejected["body_too_large"], 2u);
}

TEST_P(FrontRequests, S30GivesAFormNoMoreThanItsOwnLimits) {
    hub.route({.name = "form",
               .method = "POST",
               .path = "/form",
               .body = BodyKind::form,
               .max_body_bytes = 1 << 20},
              [this](const ExchangePtr& exchange) {
                  Form::parse(exchange->request().body);
                  ++hub.handled;
                  exchange->answer({});
              });
    hub.start();
    const std::string type = "Content-Type: application/x-www-form-urlencoded\r\n";
    std::string fields;
    for (size_t i = 0; i < Form::max_pairs; ++i) fields += "&a=b";
    EXPECT_EQ(hub.ask(post("/form", fields, type)).status, 200);
    const Answer many = hub.ask(post("/form", fields + "&a=b", type));
    EXPECT_EQ(many.status, 413);
    EXPECT_EQ(code_of(many), "body_too_large");
    EXPECT_EQ(hub.ask(post("/form", "a=" + std::string(max_form_bytes - 2, 'x'), type)).status,
              200);
    expect_refused("POST /form HTTP/1.1\r\nHost: h\r\n" + type +
                       "Content-Length: " + std::to_string(max_form_bytes + 1) + "\r\n\r\n",
                   413, "body_too_large");
}

TEST_P(FrontRequests, S31RefusesOtherTypesAndEncodings) {
    hub.route({.name = "form", .method = "POST", .path = "/form", .body = BodyKind::form},
              [](const ExchangePtr& exchange) { exchange->answer({}); });
    hub.route({.name = "upload", .method = "POST", .path = "/upload", .body = BodyKind::multipart},
              [](const ExchangePtr& exchange) { exchange->answer({}); });
    hub.start();
    const std::string json = "Content-Type: application/json\r\n",
                      form = "Content-Type: application/x-www-form-urlencoded\r\n",
                      parts = "Content-Type: multipart/form-data; boundary=b\r\n";
    RawClient client = hub.client();
    for (const auto& [path, headers] : std::vector<std::pair<std::string, std::string>>{
             {"/json", ""},
             {"/json", "Content-Type: text/plain\r\n"},
             {"/json", form},
             {"/json", json + json},
             {"/json", "Content-Type: application/json; charset=utf-16\r\n"},
             {"/json", "Content-Type: application/jsonp\r\n"},
             {"/json", json + "Content-Encoding: gzip\r\n"},
             {"/json", json + "Content-Encoding: identity\r\n"},
             {"/form", json},
             {"/form", parts},
             {"/upload", form}}) {
        const Answer answer = client.send(post(path, "{}", headers)).answer();
        EXPECT_EQ(answer.status, 415) << path << " " << headers;
        EXPECT_EQ(code_of(answer), "unsupported_media_type");
    }
    EXPECT_EQ(hub.handled, 0);
    EXPECT_EQ(client.send(post("/json", "{}", json)).answer().status, 204);
    EXPECT_EQ(client.send(post("/form", "a=b", form)).answer().status, 200);
    EXPECT_EQ(client.send(post("/upload", "--b--", parts)).answer().status, 200);
}

TEST_P(FrontRequests, S32RefusesJsonThatReadersUnderstandDifferently) {
    std::string deep, wide = "{";
    for (int i = 0; i < 33; ++i) deep += "{\"a\":";
    for (int i = 0; i < 10'001; ++i) wide += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":1";
    hub.start();
    RawClient client = hub.client();
    for (const std::string& body :
         {deep + "1" + std::string(33, '}'), wide + "}", std::string("{\"a\":1e999}"),
          std::string("{\"a\":99999999999999999999}"), std::string("{\"a\":1,\"a\":2}"),
          std::string("\xEF\xBB\xBF{}"), std::string("{}x"), std::string("{\"a\":\"\\u0000\"}"),
          std::string("{\"a\":\"\0\"}", 9), std::string("{\"a\":\"\xFF\"}"),
          std::string("{\"a\":\"\\ud800\"}"), std::string("[1]"), std::string("")}) {
        const Answer answer =
            client.send(post("/json", body, "Content-Type: application/json\r\n")).answer();
        EXPECT_EQ(answer.status, 400) << body.substr(0, 60);
        EXPECT_EQ(code_of(answer), "invalid_json");
        EXPECT_TRUE(int_at(parse_json(answer.body), "offset")) << answer.body;
    }
    EXPECT_EQ(hub.handled, 0);
}

TEST_P(FrontRequests, S34RefusesABadMultipartBody) {
    hub.route({.name = "upload", .method = "POST", .path = "/upload", .body = BodyKind::multipart},
              [this](const ExchangePtr& exchange) {
                  const Multipart form = Multipart::parse(exchange->request());
                  ++hub.handled;
                  exchange->answer({.body = std::string(form.find("a")->body)});
              });
    hub.start();
    const std::string type = "Content-Type: multipart/form-data", with = type + "; boundary=b\r\n",
                      part = "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nhello\r\n";
    std::string many;
    for (int i = 0; i < 21; ++i) many += part;
    RawClient client = hub.client();
    for (const auto& [headers, body] : std::vector<std::pair<std::string, std::string>>{
             {type + "\r\n", part + "--b--"},
             {type + "; boundary=\r\n", part + "--b--"},
             {type + "; boundary=" + std::string(71, 'b') + "\r\n", part + "--b--"},
             {with, many + "--b--"},
             {with, part},
             {with,
              "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Type: "
              "multipart/mixed\r\n\r\n\r\n--b--"},
             {with, "--b\r\nContent-Disposition: form-data; name=a\r\nA: " +
                        std::string(4096, 'x') + "\r\n\r\n\r\n--b--"}}) {
        const Answer answer = client.send(post("/upload", body, headers)).answer();
        EXPECT_EQ(answer.status, 400) << body.substr(0, 100);
        EXPECT_EQ(code_of(answer), "invalid_form");
    }
    EXPECT_EQ(hub.handled, 0);
    EXPECT_EQ(client.send(post("/upload", part + "--b--\r\n", with)).answer().body, "hello");
}

}  // namespace
}  // namespace patchbay
