#include "http/router.hpp"

#include <gmock/gmock.h>

#include <thread>

namespace patchbay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RouteSpec spec(const std::string& method, const std::string& path) {
    return {.name = method + " " + path, .method = method, .path = path};
}

std::string found(const Router& router, const std::string& method, const std::string& path) {
    const RouteMatch match = router.find(method, path);
    return match.route ? match.route->spec.name : "";
}

TEST(Router, TakesPathsWithAndWithoutTheLastSlash) {
    Router router;
    router.add(spec("POST", "/api/sms/send/"), {});
    router.add(spec("GET", "/health"), {});
    router.add(spec("GET", "/"), {});
    for (const std::string path : {"/api/sms/send", "/api/sms/send/"})
        EXPECT_EQ(found(router, "POST", path), "POST /api/sms/send/") << "X25";
    for (const std::string path : {"/health", "/health/"})
        EXPECT_EQ(found(router, "GET", path), "GET /health") << "X25";
    EXPECT_EQ(found(router, "GET", "/"), "GET /");
    EXPECT_EQ(found(router, "GET", "/health/live"), "");
}

TEST(Router, GivesParametersByTheirNames) {
    Router router;
    router.add(spec("GET", "/conversations/{id}/messages/{message}"), {});
    const RouteMatch match = router.find("GET", "/conversations/phone:+1555/messages/7/");
    ASSERT_TRUE(match.route);
    EXPECT_EQ(match.params.at("id"), "phone:+1555");
    EXPECT_EQ(match.params.at("message"), "7");
    EXPECT_EQ(found(router, "GET", "/conversations//messages/7"), "")
        << "an empty segment is no value";
}

TEST(Router, PrefersALiteralToAParameterAndAMethodToBoth) {
    Router router;
    router.add(spec("GET", "/messages/{id}"), {});
    router.add(spec("POST", "/messages/bulk"), {});
    router.add(spec("GET", "/messages/bulk/{job}"), {});
    router.add(spec("GET", "/{any}/bulk/last"), {});
    EXPECT_EQ(found(router, "POST", "/messages/bulk"), "POST /messages/bulk");
    EXPECT_EQ(found(router, "GET", "/messages/bulk"), "GET /messages/{id}");
    EXPECT_EQ(found(router, "GET", "/messages/bulk/last"), "GET /messages/bulk/{job}");
    EXPECT_EQ(found(router, "GET", "/other/bulk/last"), "GET /{any}/bulk/last");
}

TEST(Router, GivesTheRestOfAPathToALastParameterThatAsks) {
    Router router;
    router.add(spec("GET", "/docs/{path...}"), {});
    router.add(spec("GET", "/docs/errors/{code}"), {});
    EXPECT_EQ(router.find("GET", "/docs/a/b.css").params.at("path"), "a/b.css");
    EXPECT_EQ(found(router, "GET", "/docs/errors/busy"), "GET /docs/errors/{code}");
    EXPECT_EQ(found(router, "GET", "/docs"), "");
    EXPECT_THROW(router.add(spec("GET", "/{path...}/x"), {}), std::logic_error);
}

TEST(Router, NamesTheMethodsOfAPath) {
    Router router;
    router.add(spec("GET", "/users/{id}"), {});
    router.add(spec("PATCH", "/users/{id}"), {});
    EXPECT_THAT(router.find("DELETE", "/users/5").allowed,
                ElementsAre("GET", "HEAD", "OPTIONS", "PATCH"))
        << "S13";
    EXPECT_EQ(found(router, "HEAD", "/users/5"), "GET /users/{id}");
    EXPECT_EQ(found(router, "get", "/users/5"), "") << "methods are upper-case";
    EXPECT_THAT(router.find("GET", "/nothing").allowed, IsEmpty());
}

TEST(Router, ReplacesTheRoutesOfOneOwnerAtOnce) {
    Router router;
    router.add(spec("GET", "/health"), {});
    router.replace("sms", {{spec("POST", "/hooks/sms/message"), {}}, {spec("POST", "/old"), {}}});
    const RouteMatch kept = router.find("POST", "/old");
    router.replace("sms", {{spec("POST", "/hooks/sms/message"), {}}, {spec("POST", "/new"), {}}});
    EXPECT_EQ(found(router, "POST", "/old"), "");
    EXPECT_EQ(found(router, "POST", "/new"), "POST /new");
    EXPECT_EQ(kept.route->spec.path, "/old") << "a request under way keeps its route";
    router.replace("sms", {});
    EXPECT_EQ(router.all().size(), 1u);
}

TEST(Router, RefusesAPathThatAnotherOwnerHasAndChangesNothing) {
    Router router;
    router.replace("one", {{spec("POST", "/alias"), {}}});
    EXPECT_THROW(
        router.replace("two", {{spec("POST", "/fine"), {}}, {spec("POST", "/alias/"), {}}}), Error);
    EXPECT_EQ(found(router, "POST", "/fine"), "");
    EXPECT_THROW(router.add(spec("POST", "/alias"), {}), Error);
    EXPECT_THROW(router.add(spec("POST", "no-slash"), {}), std::logic_error);
}

TEST(Router, LeavesOutWhatAnotherOwnerHasWhereThatWillDo) {
    Router router;
    router.replace("one", {{spec("POST", "/alias"), {}}});
    const auto left_out = router.replace_free(
        "two",
        {{spec("POST", "/alias/"), {}}, {spec("GET", "/alias"), {}}, {spec("POST", "/fine"), {}}});
    ASSERT_EQ(left_out.size(), 1u);
    EXPECT_EQ(left_out[0].method + " " + left_out[0].path, "POST /alias/");
    EXPECT_EQ(left_out[0].owner, "one");
    EXPECT_EQ(found(router, "POST", "/alias"), "POST /alias");
    EXPECT_EQ(found(router, "GET", "/alias"), "GET /alias");
    EXPECT_EQ(found(router, "POST", "/fine"), "POST /fine");
}

TEST(Router, IsReadWhileItChanges) {
    Router router;
    router.add(spec("GET", "/health"), {});
    std::atomic<bool> stop{false};
    std::thread reader([&] {
        while (!stop) EXPECT_EQ(found(router, "GET", "/health"), "GET /health");
    });
    for (int i = 0; i < 200; ++i)
        router.replace("plugin", {{spec("POST", "/hooks/" + std::to_string(i)), {}}});
    stop = true;
    reader.join();
    EXPECT_EQ(found(router, "POST", "/hooks/199"), "POST /hooks/199");
}

}  // namespace
}  // namespace patchbay
