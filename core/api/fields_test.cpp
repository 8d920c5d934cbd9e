#include "api/fields.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

HttpRequest with_body(const std::string& body) {
    HttpRequest request;
    request.body = body;
    request.headers.push_back({"Content-Length", std::to_string(body.size())});
    return request;
}

}  // namespace

TEST(Fields, NameEveryFaultyFieldAtOnceS33) {
    Fields fields(with_body(R"({"name": 7, "extra": 1, "items": ["a", 2], "flag": "yes"})"));
    fields.required_text("email");
    fields.text("name");
    fields.texts("items");
    fields.flag("flag");
    try {
        fields.done();
        ADD_FAILURE() << "accepted";
    } catch (const Problem& problem) {
        EXPECT_EQ(problem.status, 422);
        EXPECT_EQ(problem.code, "missing_field");
        EXPECT_STREQ(problem.what(), "email is required.");
        ASSERT_EQ(problem.errors.size(), 5u);
        EXPECT_EQ(problem.errors[0].pointer, "/email");
        EXPECT_EQ(problem.errors[1].pointer, "/name");
        EXPECT_EQ(problem.errors[2].pointer, "/items/1");
        EXPECT_EQ(problem.errors[3].pointer, "/flag");
        EXPECT_EQ(problem.errors[4].pointer, "/extra");
        EXPECT_EQ(problem.errors[4].code, "unknown_field");
    }
}

TEST(Fields, TakeNullForAbsent) {
    Fields fields(with_body(R"({"name": null, "flag": null})"));
    EXPECT_EQ(fields.text("name"), std::nullopt);
    EXPECT_EQ(fields.flag("flag"), std::nullopt);
    EXPECT_NO_THROW(fields.done());
}

TEST(Fields, RefuseWhatIsNoJsonObjectS32) {
    for (const char* body : {"", "[]", "{", R"({"a":1,"a":2})", "\xEF\xBB\xBF{}"}) {
        SCOPED_TRACE(body);
        try {
            Fields fields(with_body(body));
            ADD_FAILURE() << "accepted";
        } catch (const Problem& problem) {
            EXPECT_EQ(problem.status, 400);
            EXPECT_EQ(problem.code, "invalid_json");
        }
    }
}

}  // namespace patchbay
