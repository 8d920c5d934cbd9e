#include "identity/own_pages.hpp"

#include <gtest/gtest.h>

#include "http/problem.hpp"

namespace patchbay {
namespace {

OwnPages pages() {
    static const CurrentConfig config{std::make_shared<HubConfig>([] {
        HubConfig constant;
        constant.server.public_url = "https://Hub.example:443/base";
        constant.server.cors_origins = {"https://console.example:8443", "http://localhost:5173"};
        return constant;
    }())};
    return OwnPages(config);
}

struct PageCase {
    const char* name;
    std::vector<HttpHeader> headers;
    bool is_ours;
};

const PageCase page_cases[] = {
    {"our origin", {{"Origin", "https://hub.example"}}, true},
    {"a listed one", {{"Origin", "https://console.example:8443"}}, true},
    {"a listed one from another site",
     {{"Origin", "http://localhost:5173"}, {"Sec-Fetch-Site", "cross-site"}},
     true},
    {"the browser says same origin", {{"Sec-Fetch-Site", "same-origin"}}, true},
    {"nothing", {}, false},
    {"a foreign one", {{"Origin", "https://evil.example"}}, false},
    {"ours as a prefix", {{"Origin", "https://hub.example.evil.example"}}, false},
    {"ours as a suffix", {{"Origin", "https://evilhub.example"}}, false},
    {"other scheme", {{"Origin", "http://hub.example"}}, false},
    {"other port", {{"Origin", "https://console.example"}}, false},
    {"null", {{"Origin", "null"}}, false},
    {"empty", {{"Origin", ""}}, false},
    {"same site only", {{"Sec-Fetch-Site", "same-site"}}, false},
    {"typed by the user", {{"Sec-Fetch-Site", "none"}}, false},
    {"two origins", {{"Origin", "https://hub.example"}, {"Origin", "https://hub.example"}}, false},
    {"two words", {{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "cross-site"}}, false},
};

}  // namespace

TEST(OwnPages, AloneActWithTheCookieS6A) {
    for (const auto& [name, headers, is_ours] : page_cases) {
        SCOPED_TRACE(name);
        HttpRequest request;
        request.headers = headers;
        std::string code;
        try {
            pages().require(request);
        } catch (const Problem& problem) {
            EXPECT_EQ(problem.status, 403);
            code = problem.code;
        }
        EXPECT_EQ(code, is_ours ? "" : "csrf_refused");
    }
}

TEST(OwnPages, SendJsonOnlyS6A) {
    const auto code = [](const std::string& type, const std::string& body, BodyKind kind) {
        HttpRequest request;
        request.body = body;
        if (!type.empty()) request.headers.push_back({"Content-Type", type});
        try {
            require_json_type(request, kind);
        } catch (const Problem& problem) {
            return problem.code;
        }
        return std::string();
    };
    EXPECT_EQ(code("application/json; charset=utf-8", "{}", BodyKind::json), "");
    EXPECT_EQ(code("", "", BodyKind::none), "");
    EXPECT_EQ(code("", "{}", BodyKind::json), "csrf_refused");
    for (const char* type :
         {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"}) {
        EXPECT_EQ(code(type, "{}", BodyKind::json), "csrf_refused") << type;
        EXPECT_EQ(code(type, "", BodyKind::none), "csrf_refused") << type;
        EXPECT_EQ(code(type, "x", BodyKind::any), "") << type;
    }
}

}  // namespace patchbay
