// What a stranger may send, line by line of security.md: on plain and on TLS, with raw sockets, and
// each time with a request behind it that must not run.
#pragma once
#include <gmock/gmock.h>

#include "base/json.hpp"
#include "http/json_body.hpp"
#include "http/loopback_test.hpp"

namespace patchbay::testing_http {

inline const std::string smuggled = get("/smuggled");

inline std::string code_of(const Answer& answer) {
    return text_at(parse_json(answer.body), "code").value_or("none");
}

class Front : public testing::TestWithParam<Wire> {
protected:
    explicit Front(ServerConfig config = {}) : hub(std::move(config), GetParam()) {
        for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) echo(method, "/x");
        hub.route({.name = "smuggled", .method = "GET", .path = "/smuggled"},
                  [this](const ExchangePtr& exchange) {
                      ran_smuggled = true;
                      exchange->answer({});
                  });
        hub.route({.name = "json", .method = "POST", .path = "/json", .body = BodyKind::json},
                  [this](const ExchangePtr& exchange) {
                      parse_json_object(exchange->request());
                      ++hub.handled;
                      exchange->answer({.status = 204});
                  });
    }
    ~Front() override { EXPECT_FALSE(ran_smuggled) << "bytes of a body ran as a request"; }

    void echo(const std::string& method, const std::string& path) {
        hub.route({.name = method + path,
                   .method = method,
                   .path = path,
                   .body = BodyKind::any,
                   .runs_on = RunsOn::reactor},
                  [this](const ExchangePtr& exchange) {
                      ++hub.handled;
                      exchange->answer({.body = exchange->request().body});
                  });
    }

    /// Refused with a problem, the connection ended, and nothing behind it read.
    Answer expect_refused(const std::string& bytes, int status, const std::string& code = "") {
        const int handled = hub.handled;
        RawClient client = hub.client();
        client.send(bytes + smuggled);
        const Answer answer = client.answer();
        EXPECT_EQ(answer.status, status) << bytes.substr(0, 200);
        EXPECT_EQ(answer.header("Connection"), "close");
        EXPECT_EQ(answer.header("Content-Type"), "application/problem+json");
        EXPECT_EQ(answer.header("Cache-Control"), "no-store");
        if (answer.status != 0 && !code.empty()) {
            EXPECT_EQ(code_of(answer), code);
        }
        client.end_sending();
        EXPECT_TRUE(client.ended());
        EXPECT_EQ(client.input(), "");
        EXPECT_EQ(hub.handled, handled);
        return answer;
    }

    /// The clock moves until the server has noticed: how far it had read before is not told.
    void move_clock_until_it_speaks(RawClient& client) {
        const size_t had = client.input().size();
        for (int i = 0; i < patience_ms / 20; ++i) {
            hub.clock.advance(6s);
            if (client.more(20) == 0 || client.input().size() > had) return;
        }
        FAIL() << "the server waits for ever";
    }

    TestServer hub;
    std::atomic<bool> ran_smuggled{false};
};

inline std::string wire_name(const testing::TestParamInfo<Wire>& info) {
    return info.param == Wire::tls ? "tls" : "plain";
}

/// A suite whose fixture derives from Front.
#define PATCHBAY_ON_BOTH_WIRES(suite) \
    INSTANTIATE_TEST_SUITE_P(Wire, suite, testing::Values(Wire::plain, Wire::tls), wire_name)

}  // namespace patchbay::testing_http
