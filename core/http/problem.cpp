#include "http/problem.hpp"

#include "base/json.hpp"
#include "base/log.hpp"
#include "http/observe.hpp"
#include "http/response_writer.hpp"
#include "store/store.hpp"

namespace patchbay {
namespace {

const ErrorCode& require_code(const std::string& code) {
    if (const ErrorCode* entry = find_error_code(code)) return *entry;
    throw std::logic_error("error code \"" + code + "\" is not in the table");
}

// What a plugin or the SDK throws has a kind and a status, no code of ours.
const char* code_for(const Error& error) {
    if (error.kind == ErrorKind::request && error.code == "duplicate_parameter")
        return "duplicate_parameter";  // RequestError::twice
    if (error.kind == ErrorKind::timed_out && error.code == "plugin_timed_out")
        return "plugin_timed_out";  // The host answered in the plugin's place.
    switch (error.http_status()) {
        case 400:
            return "invalid_field";
        case 401:
            return "unauthenticated";
        case 403:
            return "forbidden";
        case 404:
            return "unknown_id";
        case 408:
            return "request_timeout";
        case 409:
            return "plugin_failed";
        case 413:
            return "body_too_large";
        case 415:
            return "unsupported_media_type";
        case 422:
            return error.kind == ErrorKind::refused ? "provider_refused" : "invalid_field";
        case 429:
            return "rate_limited";
        case 503:
            return error.kind == ErrorKind::stopping ? "stopping" : "provider_unavailable";
        case 501:
        case 504:
            return "provider_unavailable";
        default:
            return error.http_status() < 500 ? "invalid_field" : "internal";
    }
}

Problem problem_for(const Error& error) {
    const std::string code = code_for(error);
    const ErrorCode& entry = require_code(code);
    // The text of an error of ours or of a provider may name hosts and addresses: it goes to the
    // log only.
    Problem problem(code, entry.status >= 500 ? "" : redact(error.what()));
    if (code == "invalid_field" && error.http_status() < 500)
        problem.status_is(error.http_status());
    if (error.retry_after.count() > 0)
        problem.retry_after(std::chrono::ceil<std::chrono::seconds>(error.retry_after));
    return problem;
}

Problem problem_for(const JsonError& error) {
    const std::string at = std::to_string(error.offset);
    Problem problem("invalid_json", std::string(error.what()) + " (at byte " + at + ")");
    problem.with("offset", at);
    return problem;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
    out += ", ";
    append_json_string(out, name);
    out += ": ";
    append_json_string(out, text);
}

std::string problem_body(const Problem& problem, const std::string& instance) {
    std::string body = "{\"type\": ";
    append_json_string(body, "/docs/errors/" + problem.code);
    append_member(body, "title", require_code(problem.code).title);
    body += ", \"status\": " + std::to_string(problem.status);
    append_member(body, "code", problem.code);
    append_member(body, "detail", problem.what());
    append_member(body, "instance", instance);
    if (!problem.errors.empty()) body += ", \"errors\": [";
    for (const FieldProblem& field : problem.errors) {
        if (&field != &problem.errors.front()) body += ", ";
        body += "{\"pointer\": ";
        append_json_string(body, field.pointer);
        append_member(body, "code", field.code);
        append_member(body, "detail", field.detail);
        body += '}';
    }
    if (!problem.errors.empty()) body += ']';
    for (const auto& [key, value] : problem.extra) {
        body += ", ";
        append_json_string(body, key);
        body += ": " + value;
    }
    return body + '}';
}

void log_failure(const Exchange& exchange, std::string_view text, const char* what) {
    const LogScope scope(exchange.id(), exchange.request().trace);
    log_error("http", text,
              {{"route", exchange.route ? exchange.route->spec.name : ""}, {"error", what}});
}

// Only what the caller has to know; the rest is logged here.
Problem problem_of(const Exchange& exchange, const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const Problem& problem) {
        return problem;
    } catch (const Error& problem) {
        if (problem.http_status() >= 500) log_failure(exchange, "a request failed", problem.what());
        return problem_for(problem);
    } catch (const JsonError& problem) {
        return problem_for(problem);
    } catch (const StoreError& problem) {
        log_failure(exchange, "the store failed", problem.what());
        const bool passing =
            problem.kind == StoreError::Kind::unavailable || problem.kind == StoreError::Kind::full;
        return Problem(passing ? "storage_unavailable" : "internal");
    } catch (const std::exception& problem) {
        log_failure(exchange, "a handler threw", problem.what());
    } catch (...) {
        log_failure(exchange, "a handler threw something that is no exception", "unknown type");
    }
    return Problem("internal");
}

}  // namespace

Problem::Problem(const std::string& problem_code, const std::string& detail,
                 std::vector<FieldProblem> fields)
    : std::runtime_error(detail.empty() ? std::string(require_code(problem_code).title) + "."
                                        : detail),
      code(problem_code),
      status(require_code(problem_code).status),
      errors(std::move(fields)) {
    if (code == "unauthenticated" || code == "token_expired")
        headers["www-authenticate"] = "Bearer";
}

Problem& Problem::status_is(int other) {
    status = other;
    return *this;
}

Problem& Problem::retry_after(std::chrono::seconds after) {
    headers["retry-after"] = std::to_string(std::max<int64_t>(after.count(), 1));
    return *this;
}

Problem& Problem::with(const std::string& key, const std::string& json_value) {
    extra[key] = json_value;
    return *this;
}

Problem& Problem::header(const std::string& name, const std::string& value) {
    headers[ascii_lower(name)] = value;
    return *this;
}

Response problem_response(const Problem& problem, const std::string& instance, bool empty_body) {
    Response response{problem.status, empty_body ? "" : problem_body(problem, instance),
                      problem.headers};
    if (!empty_body) response.headers["content-type"] = "application/problem+json";
    response.headers["cache-control"] = "no-store";
    if (problem.status == 429 || problem.status == 503)
        response.headers.emplace("retry-after", "1");
    return response;
}

void answer_error(const ExchangePtr& exchange, std::exception_ptr error) {
    if (exchange->answered()) {
        problem_of(*exchange, error);  // Nobody waits for it any more: for the log.
        return;
    }
    const bool empty =
        exchange->empty_errors || (exchange->route && !exchange->route->spec.problem_bodies);
    const Problem problem = problem_of(*exchange, error);
    count_rejected(problem.code);
    exchange->answer(problem_response(problem, exchange->id(), empty));
}

}  // namespace patchbay
