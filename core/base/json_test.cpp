#include "base/json.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

struct BadJson {
    const char* name;
    std::string text;
    size_t offset;
};

std::string nested(size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string many_members(size_t count) {
    std::string text = "[0";
    for (size_t i = 1; i < count; ++i) text += ",0";
    return text + "]";
}

const BadJson bad_texts[] = {
    {"empty", "", 0},
    {"trailing comma", "[1,]", 3},
    {"trailing bytes", "{} x", 3},
    {"byte order mark", "\xEF\xBB\xBF{}", 0},
    {"duplicate key", R"({"a":1,"a":2})", 7},
    {"duplicate key, one escaped", R"({"a":1,"\u0061":2})", 7},
    {"lone high surrogate", R"(["\uD800x"])", 8},
    {"lone low surrogate", R"(["\uDC00"])", 8},
    {"invalid UTF-8", "[\"\xC3(\"]", 2},
    {"overlong UTF-8", "[\"\xC0\xAF\"]", 2},
    {"raw NUL", std::string("[\"\0\"]", 5), 2},
    {"escaped NUL", R"(["\u0000"])", 8},
    {"raw newline in a string", "[\"\n\"]", 2},
    {"integer over int64", "[9223372036854775808]", 1},
    {"double over its range", "[1e999]", 1},
    {"leading zero", "[01]", 1},
    {"plus sign", "[+1]", 1},
    {"bare word", "[nul]", 1},
    {"unfinished string", "[\"abc", 5},
    {"unfinished object", R"({"a":1)", 6},
    {"33 levels", nested(33), 32},
    {"10,001 members", many_members(10'001), 20'001},
};

}  // namespace

TEST(Json, RefusesWithTheByteOffsetS32) {
    for (const auto& [name, text, offset] : bad_texts) {
        SCOPED_TRACE(name);
        try {
            check_json(text);
            ADD_FAILURE() << "accepted";
        } catch (const JsonError& error) {
            EXPECT_EQ(error.offset, offset) << error.what();
        }
    }
}

TEST(Json, AcceptsWhatIsJustWithinTheLimitsS32) {
    for (const std::string& text :
         {nested(32), many_members(10'000), std::string("[9223372036854775807, -0, 1.5e300]"),
          std::string(R"( {"smile":"\uD83D\uDE00","raw":"😀","slash":"\/"} )")}) {
        EXPECT_NO_THROW(check_json(text));
    }
}

TEST(Json, KeepsTheOrderOfKeys) {
    const std::string text = R"({"zebra":1,"apple":{"y":true,"x":null},"mango":["b","a",2.5]})";
    EXPECT_EQ(to_json(JsonValue(parse_json_object(text))), text);
}

TEST(Json, WritesTextsThatReadBackAsTheyWere) {
    JsonObject object = make_object();
    const std::string odd = "quote \" slash / back \\ tab \t line \n bell \x07 ünïcode 😀";
    object->set("text", odd);
    object->set("none", json_null());
    object->set("count", int64_t{9'007'199'254'740'993});
    const std::string text = to_json(JsonValue(object));
    EXPECT_NE(text.find("slash / back"), std::string::npos) << text;
    const JsonObject back = parse_json_object(text);
    EXPECT_EQ(text_at(back, "text"), odd);
    EXPECT_EQ(text_at(back, "none"), std::nullopt);
    EXPECT_EQ(int_at(back, "count"), 9'007'199'254'740'993);
}

TEST(Json, ReplacesBytesThatAreNotUtf8) {
    std::string out;
    append_json_string(out, "a\xFF");
    EXPECT_EQ(out, "\"a\xEF\xBF\xBD\"");
}

TEST(Json, FindsFieldsByPath) {
    const JsonObject object =
        parse_json_object(R"({"a":{"b":[{"c":"deep"},7]},"flag":true,"text":"7"})");
    EXPECT_EQ(text_at(object, "a.b.0.c"), "deep");
    EXPECT_EQ(int_at(object, "a.b.1"), 7);
    EXPECT_EQ(text_at(object, "flag"), "true");
    EXPECT_EQ(int_at(object, "text"), std::nullopt);
    EXPECT_EQ(text_at(object, "a.b"), std::nullopt);
    EXPECT_EQ(text_at(object, "a.x.c"), std::nullopt);
    EXPECT_EQ(text_at(object, "a.b.9.c"), std::nullopt);
}

TEST(Json, WantsAnObjectWhereOneIsNeeded) {
    EXPECT_THROW(parse_json_object("[1]"), JsonError);
    EXPECT_THROW(parse_json_object("7"), JsonError);
}

}  // namespace patchbay
