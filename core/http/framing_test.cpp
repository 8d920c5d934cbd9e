#include "http/framing.hpp"

#include <gmock/gmock.h>

#include <random>

#include "http/framing_cases_test.hpp"

namespace patchbay {
namespace {

using Step = RequestParser::Step;
using testing_http::Case;
using testing_http::shared_cases;
using testing_http::table_cases;
using testing_http::TableCase;

struct Seen {
    std::vector<std::string> targets, bodies;
    int refused = 0;  // Status; 0: nothing was refused.
    std::string reason;
    bool in_request = false;  // The bytes ended inside a request.
    std::vector<HttpHeader> headers;

    bool operator==(const Seen& other) const {
        return targets == other.targets && bodies == other.bodies && refused == other.refused &&
               reason == other.reason && in_request == other.in_request;
    }
};

// Plays a connection: `cut` says how many bytes the next packet has. After a request that ends the
// connection nothing is read.
Seen feed(std::string_view bytes, const std::function<size_t()>& cut) {
    Seen seen;
    RequestParser parser;
    while (!bytes.empty()) {
        std::string_view piece = bytes.substr(0, cut());
        bytes.remove_prefix(piece.size());
        Step step = Step::need_more;
        while ((step = parser.next(piece)) != Step::need_more) {
            if (step == Step::head) continue;
            if (step == Step::refused) {
                seen.refused = parser.refusal().status;
                seen.reason = parser.refusal().reason;
                return seen;
            }
            seen.targets.push_back(parser.request().target);
            seen.bodies.push_back(parser.request().body);
            seen.headers = parser.request().headers;
            if (!parser.keep_alive()) return seen;
            parser.reset();
        }
    }
    seen.in_request = parser.started();
    return seen;
}

// S19: a target is taken byte for byte, and refused when its path is not one that could be routed
// safely.
const std::map<std::string, int> target_answers = {
    {"target /a%00b", 400},  {"target /a/../b", 400},       {"target //a", 400},
    {"target /a\\\\b", 400}, {"target http://evil/x", 400}, {"target *", 400},
    {"target /a#b", 400},    {"target /a?x=1&x=2", 0},
};

void expect_answer(const Case& test, const Seen& seen) {
    EXPECT_THAT(seen.targets, testing::Not(testing::Contains(testing::HasSubstr("/smuggled"))));
    if (test.expect == "partial" || test.expect == "waits") {
        EXPECT_EQ(seen.refused, 0);
        EXPECT_TRUE(seen.targets.empty());
        EXPECT_TRUE(seen.in_request);
    } else if (test.expect == "target") {
        ASSERT_TRUE(target_answers.contains(test.name));
        EXPECT_EQ(seen.refused, target_answers.at(test.name));
    } else if (test.expect == "raw") {
        ASSERT_EQ(seen.headers.size(), 2u);
        EXPECT_EQ(seen.headers[1].value, "=?utf-8?Q?a=0D=0Ab?=");
    } else if (test.expect == "2") {
        EXPECT_EQ(seen.targets, (std::vector<std::string>{"/x", "/x"}));
        EXPECT_EQ(seen.bodies, (std::vector<std::string>{"", "hello"}));
    } else if (test.expect == "200") {
        EXPECT_EQ(seen.refused, 0) << seen.reason;
        EXPECT_EQ(seen.targets.size(), 1u);
    } else {
        EXPECT_EQ(seen.refused, std::stoi(test.expect)) << seen.reason;
        EXPECT_TRUE(seen.targets.empty());
    }
}

TEST(Framing, AnswersEveryCaseAlikeHoweverItIsCut) {
    const std::vector<Case> cases = shared_cases();
    if (cases.empty()) GTEST_SKIP() << "shared/framing/cases.json is missing";
    EXPECT_EQ(cases.size(), 124u);
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (const Case& test : cases) {
        SCOPED_TRACE(test.rule + " " + test.name);
        const Seen whole = feed(test.bytes, [&] { return test.bytes.size(); });
        expect_answer(test, whole);
        EXPECT_EQ(feed(test.bytes, [] { return 1u; }), whole) << "byte by byte";
        for (int round = 0; round < 20; ++round)
            EXPECT_EQ(feed(test.bytes, [&] { return 1 + random() % 40; }), whole)
                << "in random pieces";
    }
}

void expect_table_answer(const TableCase& test, const Seen& seen) {
    EXPECT_EQ(seen.targets.size(), test.handled());
    EXPECT_THAT(seen.targets, testing::Not(testing::Contains("/smuggled")));
    EXPECT_EQ(seen.refused, test.is_refused() ? test.answers.back() : 0) << seen.reason;
    if (!test.bodies.empty()) {
        EXPECT_EQ(seen.bodies, test.bodies);
    }
}

TEST(Framing, AnswersTheWholeTableAlikeHoweverItIsCut) {
    const std::vector<TableCase> cases = table_cases();
    EXPECT_GE(cases.size(), 300u);
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (const TableCase& test : cases) {
        SCOPED_TRACE(test.rule + " " + test.name);
        const std::string behind =
            test.is_refused() ? "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n" : "";
        const std::string bytes = test.bytes + behind;
        const Seen whole = feed(bytes, [&] { return bytes.size(); });
        expect_table_answer(test, whole);
        EXPECT_EQ(feed(bytes, [] { return 1u; }), whole) << "byte by byte";
        const size_t longest = 40 + bytes.size() / 200;
        for (int round = 0; round < 10; ++round)
            EXPECT_EQ(feed(bytes, [&] { return 1 + random() % longest; }), whole)
                << "in random pieces";
    }
}

Seen feed_whole(const std::string& bytes) {
    return feed(bytes, [&] { return bytes.size(); });
}

TEST(Framing, StartsTheNextRequestExactlyBehindTheFormer) {
    const Seen seen = feed_whole(
        "POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
        "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
        "PUT /3 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nxyzGET /4 HTTP/1.1\r\nHost: "
        "h\r\n\r\n");
    EXPECT_THAT(seen.targets, testing::ElementsAre("/1", "/2", "/3", "/4"));
    EXPECT_THAT(seen.bodies, testing::ElementsAre("abc", "", "xyz", ""));
}

TEST(Framing, RefusesTwoContentLengths) {
    const Seen seen = feed_whole(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello");
    EXPECT_EQ(seen.refused, 400) << "S04";
}

TEST(Framing, RefusesLengthAndEncodingTogether) {
    const Seen seen = feed_whole(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n");
    EXPECT_EQ(seen.refused, 400) << "S01";
}

TEST(Framing, EndsAnHttp10ConnectionUnlessAskedToKeepIt) {
    RequestParser parser;
    std::string_view once = "GET / HTTP/1.0\r\nHost: h\r\n\r\n";
    EXPECT_EQ(parser.next(once), Step::head);
    EXPECT_FALSE(parser.keep_alive());
    parser.reset();
    std::string_view kept = "GET / HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n";
    EXPECT_EQ(parser.next(kept), Step::head);
    EXPECT_TRUE(parser.keep_alive());
}

TEST(Framing, RefusesADeclaredBodyOverItsLimitBeforeReadingIt) {
    RequestParser parser;
    std::string_view bytes = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n";
    ASSERT_EQ(parser.next(bytes), Step::head);
    parser.limit_body(10);
    EXPECT_EQ(parser.next(bytes), Step::refused) << "S30";
    EXPECT_EQ(parser.refusal().status, 413);
}

TEST(Framing, RefusesAChunkedBodyAtTheLimit) {
    RequestParser parser;
    std::string_view bytes =
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\n";
    ASSERT_EQ(parser.next(bytes), Step::head);
    parser.limit_body(10);
    EXPECT_EQ(parser.next(bytes), Step::refused) << "S30";
    EXPECT_EQ(parser.refusal().status, 413);
}

struct PathCase {
    const char* raw;
    std::optional<std::string> path;
};

const PathCase path_cases[] = {
    {"/", "/"},
    {"/a/b/", "/a/b/"},
    {"/caf%C3%A9", "/caf\xC3\xA9"},
    {"/+27", "/+27"},
    {"/%2B27", "/+27"},
    {"/a%252e", "/a%2e"},
    {"/a%", std::nullopt},
    {"/a%4", std::nullopt},
    {"/a%zz", std::nullopt},
    {"/%00", std::nullopt},
    {"/%0d%0a", std::nullopt},
    {"/%2e%2e/etc", std::nullopt},
    {"/a/.", std::nullopt},
    {"/a//b", std::nullopt},
    {"/a%2f%2fb", std::nullopt},
    {"/a%5cb", std::nullopt},
    {"/%ff", std::nullopt},
    {"a", std::nullopt},
    {"", std::nullopt},
};

TEST(Framing, DecodesPathsOnceAndRefusesOddOnes) {
    for (const auto& [raw, path] : path_cases) {
        SCOPED_TRACE(std::string("S19 ") + raw);
        EXPECT_EQ(decode_path(raw), path);
    }
}

}  // namespace
}  // namespace patchbay
