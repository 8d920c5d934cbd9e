#include "http/websocket_codec.hpp"

#include <gmock/gmock.h>

#include <patchbay/text.hpp>

#include "http/websocket_client_test.hpp"

namespace patchbay {
namespace {

using namespace testing_http;
using testing::ElementsAre;
using Step = WebSocketDecoder::Step;

std::string bytes(std::initializer_list<int> list) {
    std::string text;
    for (const int one : list) text += static_cast<char>(one);
    return text;
}

// What came of the bytes, one word each, fed in pieces of `piece`.
std::vector<std::string> seen(std::string_view input, size_t piece, uint32_t limit = 64 << 10) {
    WebSocketDecoder decoder(limit);
    std::vector<std::string> words;
    for (size_t at = 0; at < input.size(); at += piece) {
        std::string_view rest = input.substr(at, piece);
        while (true) {
            const Step step = decoder.next(rest);
            if (step == Step::need_more) break;
            if (step == Step::message) words.push_back("message " + decoder.payload());
            if (step == Step::ping) words.push_back("ping " + decoder.payload());
            if (step == Step::pong) words.push_back("pong " + decoder.payload());
            if (step == Step::close)
                words.push_back("close " + std::to_string(decoder.code()) + decoder.payload());
            if (step != Step::failed) continue;
            words.push_back("failed " + std::to_string(decoder.code()));
            return words;
        }
    }
    return words;
}

struct Case {
    const char* name;
    std::string input;
    std::vector<std::string> expected;
};

const Case cases[] = {
    {"text", client_text("Grüße"), {"message Grüße"}},
    {"an empty text", client_text(""), {"message "}},
    {"126 bytes", client_text(std::string(126, 'x')), {"message " + std::string(126, 'x')}},
    {"64 KiB", client_text(std::string(65'536, 'x')), {"message " + std::string(65'536, 'x')}},
    {"two messages in one packet", client_text("a") + client_text("b"), {"message a", "message b"}},
    {"fragments with a ping between",
     client_frame(0x01, "ab") + client_frame(0x89, "hi") + client_frame(0x80, "cd"),
     {"ping hi", "message abcd"}},
    {"a character cut in two by fragments",
     client_frame(0x01, "\xC3") + client_frame(0x80, "\xBC"),
     {"message ü"}},
    {"an empty last fragment", client_frame(0x01, "ab") + client_frame(0x80, ""), {"message ab"}},
    {"pong", client_frame(0x8A, "x"), {"pong x"}},
    {"close with a code", client_close(1000, "bye"), {"close 1000bye"}},
    {"close with a code of an application", client_close(4000), {"close 4000"}},
    {"close without a code", client_frame(0x88, ""), {"close 1005"}},
    {"S68: what comes behind a close", client_close(1000) + client_text("a"), {"close 1000"}},

    {"S68: not masked", bytes({0x81, 0x01, 'a'}), {"failed 1002"}},
    {"S68: RSV1 set", client_frame(0xC1, "a"), {"failed 1002"}},
    {"S68: RSV3 set in a ping", client_frame(0x99, ""), {"failed 1002"}},
    {"S68: unknown opcode 3", client_frame(0x83, "a"), {"failed 1002"}},
    {"S68: unknown control opcode 11", client_frame(0x8B, ""), {"failed 1002"}},
    {"S68: ping of 126 bytes", client_frame(0x89, std::string(126, 'x')), {"failed 1002"}},
    {"S68: ping in fragments", client_frame(0x09, "a"), {"failed 1002"}},
    {"S68: continuation of nothing", client_frame(0x80, "a"), {"failed 1002"}},
    {"S68: text inside a message",
     client_frame(0x01, "a") + client_frame(0x81, "b"),
     {"failed 1002"}},
    {"S68: length in more bytes than it needs",
     bytes({0x81, 0xFE, 0, 1, 0, 0, 0, 0, 'a'}),
     {"failed 1002"}},
    {"S68: length with the highest bit",
     bytes({0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}),
     {"failed 1002"}},
    {"S68: close of one byte", client_frame(0x88, "x"), {"failed 1002"}},
    {"S68: close with code 1005", client_close(1005), {"failed 1002"}},
    {"S68: close with code 999", client_close(999), {"failed 1002"}},
    {"S68: close with code 2999", client_close(2999), {"failed 1002"}},
    {"S68: close with a reason that is not UTF-8", client_close(1000, "\xFF"), {"failed 1007"}},
    {"S68: binary", client_frame(0x82, "a"), {"failed 1003"}},
    {"S68: not UTF-8", client_text("a\xC0\x80"), {"failed 1007"}},
    {"S68: a surrogate", client_text("\xED\xA0\x80"), {"failed 1007"}},
    {"S68: above U+10FFFF", client_text("\xF4\x90\x80\x80"), {"failed 1007"}},
    {"S68: half a character at the end", client_text("a\xC3"), {"failed 1007"}},
    {"S68: 64 KiB and one byte", client_text(std::string(65'537, 'x')), {"failed 1009"}},
    {"S68: more than 64 KiB in two fragments",
     client_frame(0x01, std::string(65'000, 'x')) + client_frame(0x80, std::string(600, 'x')),
     {"failed 1009"}},
};

TEST(WebSocketCodec, S68ReadsTheSameHoweverTheBytesAreCut) {
    for (const auto& [name, input, expected] : cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(seen(input, input.size()), expected);
        EXPECT_EQ(seen(input, 1), expected);
        EXPECT_EQ(seen(input, 7), expected);
    }
}

TEST(WebSocketCodec, S68RefusesALengthBeforeItsBytesCome) {
    // 2 GiB, of which nothing is sent but the header.
    EXPECT_THAT(seen(bytes({0x81, 0xFF, 0, 0, 0, 0, 0x80, 0, 0, 0, 1, 2, 3, 4}), 1),
                ElementsAre("failed 1009"));
}

TEST(WebSocketCodec, S68RefusesAFaultyHeaderBeforeTheRestOfIt) {
    EXPECT_THAT(seen(bytes({0xF1, 0xFF}), 1), ElementsAre("failed 1002"));
}

TEST(WebSocketCodec, S68AgreesWithTheWholeTextCheckOnEveryShortText) {
    for (int a = 0x7F; a < 0x100; ++a) {
        for (int b = 0; b < 0x100; b += 3) {
            for (const int c : {0x20, 0x80, 0x90, 0xA0, 0xBF, 0xC0}) {
                const std::string text = bytes({a, b, c, 0x80});
                Utf8Check check;
                const bool fine = check.add(text.substr(0, 1)) && check.add(text.substr(1)) &&
                                  check.at_boundary();
                ASSERT_EQ(fine, is_utf8(text)) << a << ' ' << b << ' ' << c;
            }
        }
    }
}

TEST(WebSocketCodec, IsSmallWhileNothingHappens) { EXPECT_LE(sizeof(WebSocketDecoder), 128u); }

TEST(WebSocketCodec, MakesTheAcceptValueOfTheRfc) {
    // Source: RFC 6455, section 1.3.
    EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketCodec, WritesHeadersInTheShortestForm) {
    EXPECT_EQ(frame_header(FrameKind::text, 5), bytes({0x81, 5}));
    EXPECT_EQ(frame_header(FrameKind::text, 126), bytes({0x81, 126, 0, 126}));
    EXPECT_EQ(frame_header(FrameKind::text, 65'536), bytes({0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}));
    EXPECT_EQ(frame_header(FrameKind::ping, 0), bytes({0x89, 0}));
}

TEST(WebSocketCodec, CutsAReasonBetweenCharacters) {
    std::string reason(122, 'a');
    const std::string frame = close_frame(1001, reason + "ü");
    EXPECT_EQ(frame.size(), 2u + 2 + 122);
    EXPECT_TRUE(is_utf8(frame.substr(4)));
}

}  // namespace
}  // namespace patchbay
