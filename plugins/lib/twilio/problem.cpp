#include "problem.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <sstream>

namespace patchbay::twilio {

Response problem_answer(const Problem& problem, const Request& request) {
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    json.set("type", "/docs/errors/" + problem.code);
    json.set("title", problem.title);
    json.set("status", problem.status);
    json.set("code", problem.code);
    json.set("detail", problem.detail);
    json.set("instance", request.id);
    for (const auto& [name, value] : problem.members) json.set(name, value);
    if (!problem.errors.empty()) {
        Poco::JSON::Array::Ptr errors = new Poco::JSON::Array;
        for (const FieldError& error : problem.errors) {
            Poco::JSON::Object::Ptr entry = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
            // Of a query key the pointer begins with "?".
            entry->set("pointer", error.field.starts_with('?') ? error.field : "/" + error.field);
            entry->set("code", error.code);
            entry->set("detail", error.detail);
            errors->add(entry);
        }
        json.set("errors", errors);
    }
    std::ostringstream body;
    json.stringify(body);
    Response answer{problem.status, body.str(), {{"content-type", "application/problem+json"}}};
    if (problem.retry_after.count() > 0) {
        answer.headers["retry-after"] = std::to_string((problem.retry_after.count() + 999) / 1000);
    }
    return answer;
}

Problem field_problem(std::vector<FieldError> errors, int status) {
    const FieldError& first = errors.front();
    const std::string name = first.field.starts_with('?') ? first.field.substr(1) : first.field;
    Problem problem{.status = status,
                    .code = first.code,
                    .title = "A field is not as it must be",
                    .detail = name + " " + first.detail + "."};
    if (first.code == "missing_field") problem.title = "A required field is missing";
    problem.errors = std::move(errors);
    return problem;
}

}  // namespace patchbay::twilio
