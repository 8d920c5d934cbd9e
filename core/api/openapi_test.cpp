#include "api/openapi_document.hpp"
#include "api/test_api.hpp"

namespace patchbay {
namespace {

using OpenApi = ApiTest;

bool must_be_described(const RouteSpec& route) {
    return route.path.starts_with("/api/v1/") || route.path.starts_with("/health/");
}

/// Every "$ref" below `value` that leads nowhere.
void collect_dead_refs(const JsonObject& document, const JsonValue& value,
                       std::set<std::string>& dead) {
    if (value.type() == typeid(JsonArray)) {
        for (const auto& one : *value.extract<JsonArray>()) collect_dead_refs(document, one, dead);
    } else if (value.type() == typeid(JsonObject)) {
        const auto object = value.extract<JsonObject>();
        for (const auto& [name, one] : *object) {
            if (name != "$ref") {
                collect_dead_refs(document, one, dead);
                continue;
            }
            std::string place = one.extract<std::string>().substr(2);
            std::replace(place.begin(), place.end(), '/', '.');
            if (value_at(document, place).isEmpty()) dead.insert(place);
        }
    }
}

TEST_F(OpenApi, EveryRouteOfOursSaysWhatItTakesAndAnswers) {
    const JsonObject schemas = component_schemas();
    size_t described = 0;
    for (const RouteSpec& route : router_.all()) {
        if (!must_be_described(route)) continue;
        SCOPED_TRACE(route.method + " " + route.path);
        ++described;
        EXPECT_FALSE(route.about.empty());
        EXPECT_FALSE(route.answers.empty()) << "give it .answers";
        for (const RouteAnswer& answer : route.answers) {
            EXPECT_NE(answer.status, RouteAnswer::any_status) << "say which";
            EXPECT_TRUE(answer.schema.empty() || schemas->has(answer.schema))
                << answer.schema << " is not in core/api/schemas";
            EXPECT_TRUE(!answer.schema.empty() || answer.status == 204) << "name its schema";
        }
        if (route.body == BodyKind::json) {
            EXPECT_TRUE(schemas->has(route.takes))
                << "give it .takes, a name of core/api/schemas: \"" << route.takes << '"';
        }
        for (const QueryKey& key : route.query) {
            EXPECT_TRUE(schemas->has(key.schema)) << key.schema << " of ?" << key.name;
        }
        for (const std::string& code : route.problems) {
            EXPECT_NE(find_error_code(code), nullptr) << code << " is no error code";
        }
    }
    EXPECT_GT(described, 30u);
}

TEST_F(OpenApi, IsPublicAndDescribesWhatIsInTheTable) {
    router_.replace("sms/api", {{{.name = "sms.send",
                                  .method = "POST",
                                  .path = "/api/sms/send/",
                                  .body = BodyKind::json,
                                  .roles = {"owner", "api:sms:send"},
                                  .about = "Sends an SMS",
                                  .answers = {{.status = RouteAnswer::any_status}}},
                                 [](const ExchangePtr&) {}}});
    const Answer answer = get("/api/v1/openapi.json", "");
    ASSERT_EQ(answer.status(), 200);
    EXPECT_EQ(answer.text("openapi"), "3.1.0");
    const auto paths = answer.json->getObject("paths");
    const auto create = paths->getObject("/api/v1/messages")->getObject("post");
    EXPECT_EQ(text_at(create, "operationId"), "messages.create");
    EXPECT_EQ(text_at(create, "requestBody.content.application/json.schema.$ref"),
              "#/components/schemas/NewMessage");
    EXPECT_EQ(text_at(create, "responses.202.content.application/json.schema.$ref"),
              "#/components/schemas/Message");
    EXPECT_EQ(text_at(create, "security.0.bearer.0"), std::nullopt);
    EXPECT_EQ(to_json(create->get("x-roles")),
              R"(["owner","admin","expert","agent","api:messages:send"])");
    const auto of_plugin = paths->getObject("/api/sms/send/")->getObject("post");
    EXPECT_EQ(text_at(of_plugin, "responses.default.description"), "What the plugin answers.");
    const auto live = paths->getObject("/health/live")->getObject("get");
    EXPECT_EQ(live->getArray("security")->size(), 0u);
    std::set<std::string> dead;
    collect_dead_refs(answer.json, answer.json, dead);
    EXPECT_EQ(dead, std::set<std::string>{});
    router_.replace("sms/api", {});
    EXPECT_FALSE(get("/api/v1/openapi.json", "").json->getObject("paths")->has("/api/sms/send/"))
        << "plugins come and go";
}

TEST_F(OpenApi, NamesTheCodesOfARefusal) {
    const auto codes = problems_of({.method = "POST",
                                    .path = "/api/v1/things/{id}",
                                    .body = BodyKind::json,
                                    .roles = {"owner", "api:ops"},
                                    .problems = {"conversation_closed"}});
    EXPECT_TRUE(codes.at(400).contains("unknown_parameter"));
    EXPECT_EQ(codes.at(401), (std::set<std::string>{"token_expired", "unauthenticated"}));
    EXPECT_EQ(codes.at(403), (std::set<std::string>{"csrf_refused", "forbidden", "scope_missing"}));
    EXPECT_EQ(codes.at(404), (std::set<std::string>{"unknown_id", "unknown_path"}))
        << "an id with a slash is another path";
    EXPECT_TRUE(codes.at(409).contains("conversation_closed"));
    EXPECT_TRUE(codes.at(422).contains("unknown_field")) << "S33";
    const auto open = problems_of({.method = "GET", .path = "/health/x", .roles = {"public"}});
    EXPECT_FALSE(open.contains(401));
    EXPECT_FALSE(open.contains(404));
    const auto sign_in = problems_of({.method = "POST", .path = "/api/v1/auth/x"});
    EXPECT_FALSE(sign_in.contains(409)) << "an answer with a token is kept nowhere";
}

}  // namespace
}  // namespace patchbay
