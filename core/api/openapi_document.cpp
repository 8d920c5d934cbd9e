#include "api/openapi_document.hpp"

#include <patchbay/text.hpp>

#include "api/answers.hpp"
#include "api/embedded_files.hpp"
#include "http/problem.hpp"
#include "http/stages.hpp"

namespace patchbay {
namespace {

using Codes = std::map<int, std::set<std::string>>;

bool is_public(const RouteSpec& route) {
    return std::find(route.roles.begin(), route.roles.end(), "public") != route.roles.end();
}

/// Every POST may be repeated with its Idempotency-Key, but for those that answer with a token: no
/// database keeps one.
bool takes_key(const RouteSpec& route) {
    return route.method == "POST" && !route.path.starts_with("/api/v1/auth/");
}

bool for_keys(const RouteSpec& route) {
    return route.roles.empty() ||
           std::any_of(route.roles.begin(), route.roles.end(),
                       [](const std::string& role) { return role.starts_with("api:"); });
}

void add(Codes& codes, std::initializer_list<const char*> more) {
    for (const char* code : more) codes[find_error_code(code)->status].insert(code);
}

/// What is refused wherever it is sent, mostly before there is a route.
Codes problems_everywhere() {
    Codes codes;
    add(codes, {"invalid_header", "invalid_path", "request_timeout", "target_too_long",
                "unknown_host", "headers_too_large", "internal", "unsupported_encoding", "busy",
                "stopping", "storage_unavailable", "unsupported_version", "length_required",
                "body_too_large", "unsupported_media_type"});
    codes[400].insert("invalid_field");  // The query, where it cannot be read.
    return codes;
}

JsonObject ref_to(const std::string& place) {
    JsonObject json = make_object();
    json->set("$ref", "#/components/" + place);
    return json;
}

JsonObject one_of_type(const char* type) {
    JsonObject json = make_object();
    json->set("type", type);
    return json;
}

JsonObject page_schema(const std::string& of) {
    JsonObject items = one_of_type("array");
    items->set("items", ref_to("schemas/" + of));
    JsonObject next = make_object();
    next->set("type", json_texts({"string", "null"}));
    next->set("description", "The cursor of the next page; null: this was the last one.");
    JsonObject properties = make_object();
    properties->set("items", items);
    properties->set("next", next);
    JsonObject page = one_of_type("object");
    page->set("additionalProperties", false);
    page->set("required", json_texts({"items", "next"}));
    page->set("properties", properties);
    return page;
}

JsonObject content_of(const std::string& type, const JsonObject& schema) {
    JsonObject media = make_object();
    media->set("schema", schema);
    JsonObject content = make_object();
    content->set(type, media);
    return content;
}

JsonObject response_with_id(const std::string& description) {
    JsonObject headers = make_object();
    headers->set("X-Request-Id", ref_to("headers/RequestId"));
    JsonObject json = make_object();
    json->set("description", description);
    json->set("headers", headers);
    return json;
}

JsonObject problem_response_of(const std::set<std::string>& codes) {
    JsonObject code = make_object();
    code->set("enum", json_texts({codes.begin(), codes.end()}));
    JsonObject properties = make_object();
    properties->set("code", code);
    JsonObject narrowed = make_object();
    narrowed->set("properties", properties);
    JsonArray both = make_array();
    both->add(ref_to("schemas/Problem"));
    both->add(narrowed);
    JsonObject schema = make_object();
    schema->set("allOf", both);
    std::string words;
    for (const auto& one : codes) words += (words.empty() ? "" : ", ") + one;
    JsonObject response = response_with_id(words);
    response->set("content", content_of("application/problem+json", schema));
    return response;
}

std::string shared_name(int status) { return "Problem" + std::to_string(status); }

/// A problem where every route has the same ones stands once, below components.
JsonObject problem_json(int status, const std::set<std::string>& codes) {
    static const Codes everywhere = problems_everywhere();
    const auto shared = everywhere.find(status);
    if (shared != everywhere.end() && shared->second == codes)
        return ref_to("responses/" + shared_name(status));
    return problem_response_of(codes);
}

/// A plugin answers in its own words; the hub's part is that a refusal is a problem. What everybody
/// may ask (a health check, a provider's probe) has refusals of its own, as those who ask know
/// them.
JsonObject responses_of_plugin(const RouteSpec& route) {
    JsonObject responses = make_object();
    responses->set("default", response_with_id("What the plugin answers."));
    if (std::find(route.roles.begin(), route.roles.end(), "public") != route.roles.end()) {
        return responses;
    }
    JsonObject refusal = response_with_id("A problem.");
    refusal->set("content", content_of("application/problem+json", ref_to("schemas/Problem")));
    responses->set("4XX", refusal);
    responses->set("5XX", refusal);
    return responses;
}

void add_answer(JsonObject responses, const RouteAnswer& answer, const std::string& about) {
    JsonObject response = response_with_id(about);
    if (!answer.schema.empty()) {
        const JsonObject schema =
            answer.page ? page_schema(answer.schema) : ref_to("schemas/" + answer.schema);
        response->set("content", content_of(answer.type, schema));
    }
    responses->set(std::to_string(answer.status), response);
}

JsonObject responses_of(const RouteSpec& route) {
    if (route.answers.front().status == RouteAnswer::any_status) return responses_of_plugin(route);
    JsonObject responses = make_object();
    for (const RouteAnswer& answer : route.answers) add_answer(responses, answer, route.about);
    for (const auto& [status, codes] : problems_of(route)) {
        const std::string key = std::to_string(status);
        const JsonObject problem = problem_json(status, codes);
        if (!responses->has(key)) {
            responses->set(key, problem);
            continue;
        }
        // A status with an answer of its own and problems beside it.
        const JsonObject full = problem_response_of(codes);
        JsonObject content = responses->getObject(key)->getObject("content");
        content->set("application/problem+json",
                     full->getObject("content")->get("application/problem+json"));
    }
    return responses;
}

JsonObject parameter(const std::string& name, const char* where, bool required,
                     const JsonObject& schema) {
    JsonObject json = make_object();
    json->set("name", name);
    json->set("in", where);
    json->set("required", required);
    json->set("schema", schema);
    return json;
}

/// The names of {name} and {name...} in a path.
std::vector<std::string> names_in(const std::string& path) {
    std::vector<std::string> names;
    for (size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1)) {
        names.push_back(path.substr(at + 1, path.find_first_of(".}", at) - at - 1));
    }
    return names;
}

JsonArray parameters_of(const RouteSpec& route) {
    JsonArray list = make_array();
    for (const auto& name : names_in(route.path))
        list->add(parameter(name, "path", true, one_of_type("string")));
    for (const QueryKey& key : route.query)
        list->add(parameter(key.name, "query", false, ref_to("schemas/" + key.schema)));
    if (takes_key(route)) list->add(ref_to("parameters/IdempotencyKey"));
    return list;
}

JsonObject body_of(const RouteSpec& route) {
    JsonObject body = make_object();
    body->set("required", route.body == BodyKind::json && !route.body_optional);
    const std::string type(media_type(route.body));
    body->set("content",
              content_of(type.empty() ? "*/*" : type,
                         route.takes.empty() ? make_object() : ref_to("schemas/" + route.takes)));
    return body;
}

/// Any one of them is enough.
JsonArray security_of(const RouteSpec& route) {
    JsonArray any = make_array();
    if (is_public(route)) return any;
    std::vector<const char*> schemes = {"bearer", "cookie"};
    if (for_keys(route)) schemes.push_back("api_key");
    for (const char* scheme : schemes) {
        JsonObject one = make_object();
        one->set(scheme, make_array());
        any->add(one);
    }
    return any;
}

JsonObject operation_of(const RouteSpec& route) {
    JsonObject json = make_object();
    json->set("operationId", route.name);
    json->set("summary", route.about);
    json->set("tags", json_texts({route.name.substr(0, route.name.find('.'))}));
    json->set("x-roles", json_texts(route.roles.empty() ? std::vector<std::string>{"signed_in"}
                                                        : route.roles));
    json->set("security", security_of(route));
    if (const JsonArray parameters = parameters_of(route); parameters->size() > 0)
        json->set("parameters", parameters);
    if (route.body != BodyKind::none) json->set("requestBody", body_of(route));
    json->set("responses", responses_of(route));
    return json;
}

/// "/files/{path...}" is "/files/{path}" there.
std::string plain_path(std::string path) {
    const size_t dots = path.find("...}");
    if (dots != std::string::npos) path.erase(dots, 3);
    return path;
}

JsonObject paths_of(const std::vector<RouteSpec>& routes) {
    std::map<std::string, std::vector<const RouteSpec*>> by_path;
    for (const RouteSpec& route : routes)
        if (!route.answers.empty()) by_path[plain_path(route.path)].push_back(&route);
    JsonObject paths = make_object();
    for (const auto& [path, specs] : by_path) {
        JsonObject item = make_object();
        for (const RouteSpec* route : specs)
            item->set(ascii_lower(route->method), operation_of(*route));
        paths->set(path, item);
    }
    return paths;
}

JsonObject components() {
    JsonObject responses = make_object();
    for (const auto& [status, codes] : problems_everywhere())
        responses->set(shared_name(status), problem_response_of(codes));
    JsonObject json = parse_json_object(std::string_view(R"({
      "headers": {"RequestId": {"description": "The id of the request; a sent X-Request-Id of [A-Za-z0-9._-]{1,64} is taken over.", "schema": {"type": "string"}}},
      "parameters": {"IdempotencyKey": {"name": "Idempotency-Key", "in": "header", "required": false,
        "description": "The same key again gets the first answer again.", "schema": {"type": "string", "minLength": 1, "maxLength": 255}}},
      "securitySchemes": {
        "bearer": {"type": "http", "scheme": "bearer", "description": "The token of a sign-in, or an API key (pb_live_...)."},
        "cookie": {"type": "apiKey", "in": "cookie", "name": "__Host-pb", "description": "A session of a browser, from one of server.cors_origins or the hub's own pages."},
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}
    })"));
    json->set("schemas", component_schemas());
    json->set("responses", responses);
    return json;
}

JsonObject info() {
    JsonObject license = make_object();
    license->set("name", "Apache License 2.0");
    license->set("identifier", "Apache-2.0");
    JsonObject json = make_object();
    json->set("title", "Patchbay");
    json->set("version", PATCHBAY_VERSION);
    json->set("description",
              "Every path works with and without its last slash. Errors are RFC 9457 problems; the "
              "page of a code is its type. x-roles says who may call: role words, api:<scope>, "
              "signed_in, public, or local for this machine's command line.");
    json->set("license", license);
    return json;
}

}  // namespace

JsonObject component_schemas() {
    std::map<std::string, JsonValue> sorted;
    for (const EmbeddedFile& file : embedded_files()) {
        if (!file.name.starts_with("schemas/")) continue;
        const JsonObject schemas = parse_json_object(file.text);
        for (const auto& name : schemas->getNames()) {
            if (!sorted.emplace(name, schemas->get(name)).second)
                throw std::logic_error("schema " + name + " stands in two files");
        }
    }
    JsonObject all = make_object();
    for (const auto& [name, schema] : sorted) all->set(name, schema);
    return all;
}

std::map<int, std::set<std::string>> problems_of(const RouteSpec& route) {
    Codes codes = problems_everywhere();
    const bool writes = route.method != "GET";
    if (!is_public(route)) add(codes, {"unauthenticated", "token_expired", "forbidden"});
    if (!is_public(route) && for_keys(route)) add(codes, {"scope_missing"});
    if (!is_public(route) && writes) add(codes, {"csrf_refused"});
    if (route.path.find('{') != std::string::npos) add(codes, {"unknown_id", "unknown_path"});
    if (route.path.starts_with("/api/v1/"))
        add(codes, {"unknown_parameter", "duplicate_parameter"});
    for (const QueryKey& key : route.query)
        if (key.name == "cursor") add(codes, {"invalid_cursor"});
    if (route.body == BodyKind::json)
        add(codes, {"invalid_json", "missing_field", "invalid_field", "unknown_field"});
    if (takes_key(route)) add(codes, {"idempotency_running", "idempotency_mismatch"});
    for (const auto& code : route.problems) add(codes, {code.c_str()});
    return codes;
}

JsonObject openapi_document(const std::vector<RouteSpec>& routes) {
    JsonObject here = make_object();
    here->set("url", "/");
    JsonArray servers = make_array();
    servers->add(here);
    JsonObject json = make_object();
    json->set("openapi", "3.1.0");
    json->set("info", info());
    json->set("servers", servers);
    json->set("paths", paths_of(routes));
    json->set("components", components());
    return json;
}

}  // namespace patchbay
