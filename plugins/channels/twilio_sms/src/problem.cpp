#include "problem.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>

#include <sstream>

namespace patchbay::twilio_sms {

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
            entry->set("pointer", "/" + error.field);
            entry->set("code", error.code);
            entry->set("detail", error.detail);
            errors->add(entry);
        }
        json.set("errors", errors);
    }
    std::ostringstream body;
    json.stringify(body);
    return {problem.status, body.str(), {{"content-type", "application/problem+json"}}};
}

Problem field_problem(std::vector<FieldError> errors) {
    const FieldError& first = errors.front();
    Problem problem{.status = 400,
                    .code = first.code,
                    .title = "A field is not as it must be",
                    .detail = first.field + " " + first.detail + "."};
    if (first.code == "missing_field") problem.title = "A required field is missing";
    problem.errors = std::move(errors);
    return problem;
}

}  // namespace patchbay::twilio_sms
