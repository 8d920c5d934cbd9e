// S01 to S14: how bytes become requests.
#include <random>

#include "http/framing_cases_test.hpp"
#include "http/front_test.hpp"

namespace patchbay {
namespace {

using namespace testing_http;

PATCHBAY_ON_BOTH_WIRES(Front);

/// In which pieces a case is sent.
enum class Cut { whole, bytes, pieces };

// Single bytes where framing happens; nobody needs a million packets of body.
std::vector<std::string_view> cut_up(std::string_view bytes, Cut cut, std::mt19937& random) {
    constexpr size_t begin = 9000, end = 64;
    std::vector<std::string_view> pieces;
    while (!bytes.empty()) {
        size_t size = bytes.size();
        if (cut == Cut::pieces) size = 1 + random() % (40 + size / 20);
        if (cut == Cut::bytes)
            size = pieces.size() == begin && bytes.size() > end ? bytes.size() - end : 1;
        pieces.push_back(bytes.substr(0, size));
        bytes.remove_prefix(pieces.back().size());
    }
    return pieces;
}

void expect_table_answers(TestServer& hub, const TableCase& test, Cut cut, std::mt19937& random) {
    const int handled = hub.handled;
    const std::string bytes = test.bytes + (test.is_refused() ? smuggled : "");
    RawClient client = hub.client();
    for (const std::string_view piece : cut_up(bytes, cut, random)) client.send(piece);
    client.end_sending();
    for (size_t i = 0; i < test.answers.size(); ++i) {
        Answer answer = client.answer();
        // Whoever sends "Expect" and the body at once hears this as well.
        if (answer.status == 100) answer = client.answer();
        EXPECT_EQ(answer.status, test.answers[i]);
        if (i < test.bodies.size()) {
            EXPECT_EQ(answer.body, test.bodies[i]);
        }
        const bool closes = test.closes && i + 1 == test.answers.size();
        EXPECT_EQ(answer.header("Connection"), closes ? "close" : "");
    }
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(client.input(), "");
    EXPECT_EQ(hub.handled - handled, static_cast<int>(test.handled()));
}

TEST_P(Front, S01ToS19AnswersTheWholeTableHoweverItIsCut) {
    hub.start();
    const std::vector<TableCase> cases = table_cases();
    EXPECT_GE(cases.size(), 300u);
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (const TableCase& test : cases) {
        for (const Cut cut : {Cut::whole, Cut::bytes, Cut::pieces}) {
            SCOPED_TRACE(test.rule + " " + test.name + ", cut " +
                         std::to_string(static_cast<int>(cut)));
            expect_table_answers(hub, test, cut, random);
        }
    }
    EXPECT_EQ(hub.ask(post("/x", "still here")).body, "still here");
}

TEST_P(Front, S01RefusesLengthAndEncodingTogether) {
    hub.start();
    expect_refused(
        "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        400, "invalid_header");
    EXPECT_EQ(hub.server->stats().rejected["length_conflict"], 1u);
}

TEST_P(Front, S02RefusesEveryEncodingButChunked) {
    hub.start();
    for (const std::string line : {"Transfer-Encoding: gzip", "Transfer-Encoding: gzip, chunked",
                                   "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"})
        expect_refused("POST /x HTTP/1.1\r\nHost: h\r\n" + line + "\r\n\r\n0\r\n\r\n", 501,
                       "unsupported_encoding");
    EXPECT_EQ(hub.server->stats().rejected["transfer_encoding"], 3u);
}

TEST_P(Front, S03RefusesASpaceOrControlByteInAName) {
    hub.start();
    for (const std::string name :
         {"Transfer-Encoding ", "Transfer-Encoding\t", "Transfer\x01Encoding", " A"})
        expect_refused("POST /x HTTP/1.1\r\nHost: h\r\n" + name + ": chunked\r\n\r\n0\r\n\r\n", 400,
                       "invalid_header");
}

TEST_P(Front, S04RefusesTwoLengthsAlsoWhenEqual) {
    hub.start();
    for (const std::string lengths : {"5\r\nContent-Length: 5", "5\r\nContent-Length: 3", "3,5"})
        expect_refused(
            "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: " + lengths + "\r\n\r\nhello", 400,
            "invalid_header");
}

TEST_P(Front, S05RefusesALengthThatIsNone) {
    hub.start();
    for (const std::string length : {"+5", "-5", "5 5", "0x5", "", "1234567890123456789"})
        expect_refused("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: " + length + "\r\n\r\nhello",
                       400, "invalid_header");
    EXPECT_EQ(hub.server->stats().rejected["content_length"], 6u);
}

TEST_P(Front, S06DrainsASmallBodyThatNobodyReadsAndClosesOnALargeOne) {
    hub.start();
    std::string body;
    while (body.size() < 60'000) body += smuggled;
    RawClient client = hub.client();
    EXPECT_EQ(client.send(post("/nothing", body)).answer().status, 404);
    EXPECT_EQ(client.send(post("/x", "next")).answer().body, "next");
    while (body.size() < 70'000) body += smuggled;
    const Answer answer = client.send(post("/nothing", body)).answer();
    EXPECT_EQ(answer.status, 404);
    EXPECT_EQ(answer.header("Connection"), "close");
    client.end_sending();
    EXPECT_TRUE(client.ended());
    EXPECT_EQ(client.input(), "");
}

TEST_P(Front, S07TakesAMissingLengthAsAnEmptyBody) {
    hub.start();
    RawClient client = hub.client();
    const Answer answer = client.send("POST /x HTTP/1.1\r\nHost: h\r\n\r\n" + smuggled).answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(client.ended());
    const Answer needs = hub.ask("POST /json HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(needs.status, 411);
    EXPECT_EQ(code_of(needs), "length_required");
}

TEST_P(Front, S08NeverRunsAHandlerOnHalfABody) {
    hub.start();
    for (const std::string bytes :
         {"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello",
          "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
          "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"}) {
        RawClient client = hub.client();
        client.send(bytes);
        client.end_sending();
        EXPECT_TRUE(client.ended());
        EXPECT_EQ(client.input(), "");
    }
    EXPECT_EQ(hub.handled, 0);
    EXPECT_EQ(hub.server->stats().rejected["partial"], 3u);
}

TEST_P(Front, S09RefusesAChunkThatIsNone) {
    hub.start();
    const std::string head = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& chunks :
         {std::string("g\r\nhello\r\n0\r\n\r\n"), std::string("000000005\r\nhello\r\n0\r\n\r\n"),
          std::string("5\r\nhello0\r\n\r\n"), "0\r\nA: " + std::string(4096, 'x') + "\r\n\r\n"})
        expect_refused(head + chunks, 400, "invalid_header");
}

TEST_P(Front, S10RefusesLinesThatReadersUnderstandDifferently) {
    hub.start();
    const std::string head = "GET /x HTTP/1.1\r\nHost: h\r\n";
    for (const std::string& bytes :
         {std::string("GET /x HTTP/1.1\nHost: h\n\n"), head + "A: 1\r\n b\r\n\r\n",
          head + "no colon\r\n\r\n", head + std::string("A: 1\0\r\n\r\n", 10),
          head + "A: 1\rb\r\n\r\n"})
        expect_refused(bytes, 400, "invalid_header");
}

TEST_P(Front, S11KeepsTheBytesOfAValue) {
    hub.route({.name = "value", .method = "GET", .path = "/value"},
              [](const ExchangePtr& exchange) {
                  exchange->answer({.body = std::string(*exchange->request().header("A"))});
              });
    hub.start();
    const std::string value = "=?utf-8?Q?a=0D=0AContent-Length:_5?= \xC3\xA9\xFF";
    EXPECT_EQ(hub.ask(get("/value", "A: \t" + value + " \r\n")).body, value);
}

TEST_P(Front, S12RefusesNoHostAndTwoHosts) {
    hub.start();
    expect_refused("GET /x HTTP/1.1\r\n\r\n", 400, "invalid_header");
    expect_refused(get("/x", "Host: h\r\n"), 400, "invalid_header");
    EXPECT_EQ(hub.server->stats().rejected["host"], 2u);
}

class OwnHosts : public Front {
protected:
    OwnHosts() : Front({.allowed_hosts = {"hub.example"}}) {}
};
PATCHBAY_ON_BOTH_WIRES(OwnHosts);

TEST_P(OwnHosts, S12AnswersForNoOthers) {
    hub.start();
    expect_refused(get("/x"), 421, "unknown_host");
    for (const std::string host : {"evil.hub.example", "hub.example.evil", "hub.example@evil"})
        EXPECT_NE(hub.ask("GET /x HTTP/1.1\r\nHost: " + host + "\r\n\r\n").status, 200) << host;
    EXPECT_EQ(hub.ask("GET /x HTTP/1.1\r\nHost: HUB.example:8443\r\n\r\n").status, 200);
}

TEST_P(Front, S13RefusesOtherVersionsAndMethods) {
    hub.start();
    for (const std::string line : {"PRI * HTTP/2.0", "GET /x HTTP/9.9", "GET /x HTTP/1.2"})
        expect_refused(line + "\r\nHost: h\r\n\r\n", 505, "unsupported_version");
    expect_refused("GET /x\r\n", 400, "invalid_header");
    RawClient client = hub.client();
    const Answer method = client.send("BREW /smuggled HTTP/1.1\r\nHost: h\r\n\r\n").answer();
    EXPECT_EQ(method.status, 405);
    EXPECT_EQ(code_of(method), "method_not_allowed");
    EXPECT_EQ(method.header("Allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(client.send(get("/x")).answer().status, 200) << "the connection goes on";
}

TEST_P(Front, S14RefusesHeadersWithoutBounds) {
    hub.start();
    const std::string head = "GET /x HTTP/1.1\r\nHost: h\r\n";
    expect_refused("GET /" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", 414,
                   "target_too_long");
    expect_refused(head + "A: " + std::string(8190, 'a') + "\r\n\r\n", 431, "headers_too_large");
    std::string many, large;
    for (int i = 0; i < 64; ++i) many += "A: 1\r\n";
    expect_refused(head + many + "\r\n", 431, "headers_too_large");
    for (int i = 0; i < 5; ++i) large += "A: " + std::string(8000, 'a') + "\r\n";
    expect_refused(head + large + "\r\n", 431, "headers_too_large");
}

}  // namespace
}  // namespace patchbay
