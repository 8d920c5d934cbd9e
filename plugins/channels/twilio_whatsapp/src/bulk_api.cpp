#include "bulk_api.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/NumberParser.h>

#include <algorithm>
#include <twilio/json.hpp>
#include <twilio/requests.hpp>
#include <twilio/whatsapp.hpp>

#include "shapes.hpp"

namespace patchbay::twilio_whatsapp {
namespace {

using Errors = std::vector<twilio::FieldError>;

constexpr size_t most_recipients = 10'000;
constexpr size_t most_errors_shown = 100;
constexpr uint32_t default_limit = 50, max_limit = 200;

std::vector<std::string> read_numbers(const Poco::JSON::Object& body, Errors& errors) {
    std::vector<std::string> numbers;
    const auto value = body.get("phone_numbers");
    if (value.isEmpty()) {
        errors.push_back({"phone_numbers", "missing_field", "is required"});
        return numbers;
    }
    if (value.type() != typeid(Poco::JSON::Array::Ptr)) {
        errors.push_back({"phone_numbers", "invalid_field", "must be a list of texts"});
        return numbers;
    }
    const auto list = value.extract<Poco::JSON::Array::Ptr>();
    if (list->size() == 0 || list->size() > most_recipients) {
        errors.push_back({"phone_numbers", "invalid_field", "must have 1 to 10000 numbers"});
        return numbers;
    }
    for (unsigned i = 0; i < list->size(); ++i) {
        const auto one = list->get(i);
        if (one.isString()) {
            const std::string text = one.extract<std::string>();
            numbers.push_back(twilio::is_user_id(twilio::whatsapp_address(text).value)
                                  ? "user:" + twilio::whatsapp_address(text).value
                                  : text);
        } else if (errors.size() < most_errors_shown) {
            errors.push_back(
                {"phone_numbers/" + std::to_string(i), "invalid_field", "must be a text"});
        }
    }
    return numbers;
}

bool read_flag(const Poco::JSON::Object& body, const std::string& field, Errors& errors) {
    const auto value = body.get(field);
    if (value.isEmpty()) return false;
    if (!value.isBoolean()) {
        errors.push_back({field, "invalid_field", "must be true or false"});
        return false;
    }
    return value.extract<bool>();
}

std::optional<int64_t> read_number(const Poco::JSON::Object& body, const std::string& field,
                                   Errors& errors) {
    const auto value = body.get(field);
    if (value.isEmpty()) return std::nullopt;
    if (!value.isInteger() || value.isBoolean()) {
        errors.push_back({field, "invalid_field", "must be a whole number"});
        return std::nullopt;
    }
    return value.convert<int64_t>();
}

Poco::JSON::Object::Ptr estimate_json(const messaging::BulkInfo& bulk) {
    Poco::JSON::Object::Ptr json = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
    json->set("segments", bulk.segments);
    json->set("price", Poco::Dynamic::Var{});
    return json;
}

void set_counts(Poco::JSON::Object& json, const messaging::BulkInfo& bulk) {
    json.set("job_id", twilio::text_or_null(bulk.id));
    json.set("status", bulk.status);
    json.set("total", bulk.total);
    json.set("queued", bulk.queued);
    json.set("successful", bulk.successful);
    json.set("failed", bulk.failed);
    json.set("duplicates", bulk.duplicates);
}

Poco::JSON::Object::Ptr result_json(const messaging::BulkResult& result) {
    Poco::JSON::Object::Ptr json = new Poco::JSON::Object{Poco::JSON_PRESERVE_KEY_ORDER};
    const bool is_id = result.to.starts_with("user:");
    json->set("phone_number", is_id ? result.to.substr(5) : result.to);
    json->set("success", twilio::is_taken(result.status));
    json->set("id", twilio::text_or_null(result.message));
    json->set("message_id", twilio::text_or_null(result.provider_id));
    json->set("status", status_word(result.status));
    json->set("error", error_json(result.code, result.reason));
    return json;
}

Poco::JSON::Object progress_json(const messaging::BulkInfo& bulk, uint32_t first) {
    Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
    set_counts(json, bulk);
    json.set("started_at", twilio::time_or_null(bulk.started_ms));
    json.set("finished_at", twilio::time_or_null(bulk.finished_ms));
    Poco::JSON::Array::Ptr results = new Poco::JSON::Array;
    for (const auto& result : bulk.results) results->add(result_json(result));
    const uint64_t next = first + bulk.results.size();
    json.set("results", results);
    json.set("next",
             next < bulk.total ? Poco::Dynamic::Var{std::to_string(next)} : Poco::Dynamic::Var{});
    return json;
}

Response unconfirmed(const messaging::BulkInfo& bulk, const Request& request) {
    return failed_answer(
        {.status = 409,
         .code = "confirmation_required",
         .title = "This needs a confirmation",
         .detail = "Send it again with confirm: " + std::to_string(bulk.recipients) +
                   ", the number of recipients.",
         .members = {{"recipients", bulk.recipients}, {"estimate", estimate_json(bulk)}}},
        request);
}

Response refusal_for(const Error& error, size_t numbers, const Request& request) {
    twilio::Problem problem{.status = 422,
                            .code = error.code,
                            .title = "The hub refused the bulk send",
                            .detail = error.what()};
    if (error.code == "invalid_phone_number") {
        for (size_t i = 0; i < numbers && i < most_errors_shown; ++i) {
            problem.errors.push_back(
                {"phone_numbers/" + std::to_string(i), error.code, needs_country_code});
        }
    }
    return failed_answer(std::move(problem), request);
}

Response unknown_job(const Request& request) {
    return failed_answer({404, "unknown_id", "No such bulk send", "There is no such bulk send."},
                         request);
}

std::string job_id(const Request& request) {
    const auto found = request.params.find("job_id");
    return found == request.params.end() ? std::string{} : found->second;
}

// nullopt: not a number in its range.
std::optional<uint32_t> number_in(const Labels& query, const std::string& key, uint32_t fallback,
                                  uint32_t least, uint32_t most) {
    const auto found = query.find(key);
    if (found == query.end()) return fallback;
    unsigned number = 0;
    if (!Poco::NumberParser::tryParseUnsigned(found->second, number)) return std::nullopt;
    return number >= least && number <= most ? std::optional<uint32_t>{number} : std::nullopt;
}

}  // namespace

Response BulkApi::start(const Call& call, const Request& request) const {
    const auto body = twilio::parse_object(request.body);
    if (!body) {
        return failed_answer({400, "invalid_json", "Not JSON", "Expected a JSON object."}, request);
    }
    Errors errors;
    messaging::NewBulk wanted{.channel = twilio::own_instance(host_)};
    wanted.to = read_numbers(*body, errors);
    Content content = read_content(*body, errors);
    wanted.text = std::move(content.text);
    wanted.kind = std::move(content.kind);
    wanted.media = std::move(content.media);
    wanted.from_template = std::move(content.from_template);
    wanted.asker = asker_of(request);
    wanted.dry_run = read_flag(*body, "dry_run", errors);
    wanted.confirm = read_number(*body, "confirm", errors);
    if (!errors.empty()) {
        return failed_answer(twilio::field_problem(std::move(errors), 422), request);
    }
    return begin(call, request, wanted);
}

Response BulkApi::begin(const Call& call, const Request& request,
                        const messaging::NewBulk& wanted) const {
    try {
        const auto bulk = host_.start_bulk(call, wanted);
        if (bulk.status == "unconfirmed") return unconfirmed(bulk, request);
        Poco::JSON::Object json{Poco::JSON_PRESERVE_KEY_ORDER};
        set_counts(json, bulk);
        json.set("progress_url",
                 twilio::text_or_null(bulk.id.empty() ? "" : "/api/whatsapp/send-bulk/" + bulk.id));
        json.set("results", Poco::JSON::Array::Ptr{new Poco::JSON::Array});
        if (wanted.dry_run) json.set("estimate", estimate_json(bulk));
        return twilio::json_answer(wanted.dry_run ? 200 : 202, json);
    } catch (const Error& error) {
        if (error.kind != ErrorKind::refused || error.code.empty()) throw;
        return refusal_for(error, wanted.to.size(), request);
    }
}

Response BulkApi::progress(const Request& request) const {
    const auto limit = number_in(request.query, "limit", default_limit, 1, max_limit);
    const auto first = number_in(request.query, "cursor", 0, 0, most_recipients);
    if (!limit) {
        return failed_answer(
            twilio::field_problem({{"?limit", "invalid_field", "must be 1 to 200"}}, 422), request);
    }
    if (!first) {
        return failed_answer({400, "invalid_cursor", "The cursor is not one of ours",
                              "The cursor is not one of ours."},
                             request);
    }
    const auto bulk = host_.find_bulk(job_id(request), asker_of(request), *first, *limit);
    if (!bulk) return unknown_job(request);
    return twilio::json_answer(200, progress_json(*bulk, *first));
}

Response BulkApi::stop(const Request& request) const {
    const auto bulk = host_.stop_bulk(job_id(request), asker_of(request));
    if (!bulk) return unknown_job(request);
    const auto with_results = host_.find_bulk(job_id(request), asker_of(request), 0, default_limit);
    return twilio::json_answer(200, progress_json(with_results.value_or(*bulk), 0));
}

}  // namespace patchbay::twilio_whatsapp
