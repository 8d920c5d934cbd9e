#include "api/embedded_files.hpp"
#include "api/error_pages.hpp"
#include "api/test_api.hpp"

namespace patchbay {
namespace {

class Docs : public ApiTest {
protected:
    Response page(const std::string& target) {
        HttpRequest request{.method = "GET", .target = target, .path = target};
        return call_locally(router_, context_, std::move(request));
    }
};

TEST_F(Docs, ServesTheViewerFromTheBinary) {
    EXPECT_EQ(page("/docs").headers.at("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(page("/docs/").status, 200);
    EXPECT_EQ(page("/docs/docs.js").headers.at("content-type"), "text/javascript; charset=utf-8");
    EXPECT_EQ(page("/docs/docs.css").headers.at("content-type"), "text/css; charset=utf-8");
    for (const std::string odd : {"/docs/nothing.js", "/docs/..", "/docs/errors/nothing"})
        EXPECT_EQ(page(odd).status, 404) << odd;
}

TEST_F(Docs, GivesEveryPageItsHeadersS6C) {
    for (const std::string path : {"/docs", "/docs/docs.js", "/docs/errors", "/docs/errors/busy"}) {
        SCOPED_TRACE(path);
        const Response answer = page(path);
        EXPECT_EQ(answer.status, 200);
        const std::string& policy = answer.headers.at("content-security-policy");
        EXPECT_NE(policy.find("default-src 'none'"), std::string::npos);
        EXPECT_NE(policy.find("script-src 'self'"), std::string::npos);
        EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
        EXPECT_EQ(policy.find("unsafe"), std::string::npos);
        EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
        EXPECT_EQ(answer.headers.at("referrer-policy"), "no-referrer");
        EXPECT_EQ(answer.headers.at("cross-origin-opener-policy"), "same-origin");
        EXPECT_TRUE(answer.headers.contains("strict-transport-security")) << "public_url is https";
    }
    config_.server.public_url = "http://127.0.0.1:8080";
    EXPECT_FALSE(page("/docs").headers.contains("strict-transport-security"));
}

TEST_F(Docs, HasNothingInlineAndNothingFromElsewhereS6C) {
    for (const EmbeddedFile& file : embedded_files()) {
        if (!file.name.starts_with("docs_viewer/")) continue;
        SCOPED_TRACE(file.name);
        EXPECT_EQ(file.text.find("http://"), std::string_view::npos);
        EXPECT_EQ(file.text.find("https://"), std::string_view::npos);
        EXPECT_EQ(file.text.find("style="), std::string_view::npos);
        EXPECT_EQ(file.text.find("onclick"), std::string_view::npos);
        EXPECT_EQ(file.text.find("innerHTML"), std::string_view::npos);
        EXPECT_EQ(file.text.find("<script>"), std::string_view::npos);
    }
}

TEST_F(Docs, HasTheTypeOfEveryProblem) {
    const std::string index = page("/docs/errors").body;
    for (const ErrorCode& entry : error_codes()) {
        const Response answer = page(std::string("/docs/errors/") + entry.code);
        EXPECT_EQ(answer.status, 200) << entry.code;
        EXPECT_NE(answer.body.find(std::string("<h1>") + entry.code + "</h1>"), std::string::npos);
        EXPECT_NE(index.find(std::string("/docs/errors/") + entry.code + "\""), std::string::npos);
    }
    const std::string type = call({.target = "/api/v1/users"}).text("type");
    EXPECT_EQ(type, "/docs/errors/unauthenticated");
    EXPECT_EQ(page(type).status, 200);
}

TEST(Markdown, IsEscapedAndKeepsItsParagraphs) {
    EXPECT_EQ(
        html_of_markdown("# a_b\n\nOne <two>\n& `x < \"y\"`.\n\n## Next\nSee [that](../x.md).\n"),
        "<h1>a_b</h1>\n<p>One &lt;two&gt; &amp; <code>x &lt; &quot;y&quot;</code>.</p>\n"
        "<h2>Next</h2>\n<p>See that.</p>\n");
    EXPECT_EQ(html_of_markdown("a ` b [c"), "<p>a ` b [c</p>\n");
    EXPECT_EQ(html_of_markdown(""), "");
}

}  // namespace
}  // namespace patchbay
