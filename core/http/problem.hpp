// RFC 9457 problem+json answers with the stable codes of docs/errors/.
#pragma once
#include <chrono>
#include <exception>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "http/exchange.hpp"

namespace patchbay {

struct FieldProblem {
    std::string pointer;  ///< JSON pointer, or "?name" for a query key.
    std::string code;
    std::string detail;
};

/// Thrown anywhere in a handler; becomes the answer. `code` is one of the table in error_codes.cpp,
/// which gives status and title; any other is a std::logic_error.
struct Problem : std::runtime_error {
    explicit Problem(const std::string& code, const std::string& detail = {},
                     std::vector<FieldProblem> errors = {});
    Problem& status_is(int status);  ///< Where a code has two statuses (api-shapes rule 8).
    Problem& retry_after(std::chrono::seconds after);  ///< Default for 429 and 503: 1 s.
    Problem& with(const std::string& key,
                  const std::string& json_value);  ///< An extra member, its value as JSON text.
    Problem& header(const std::string& name, const std::string& value);

    std::string code;
    int status;
    std::vector<FieldProblem> errors;
    Labels extra;
    Labels headers;
};

/// The one place where an exception becomes an answer: Problem as it says, Error by kind, JsonError
/// 400 with its byte offset, StoreError 503 or 500, any other 500 without detail. On routes with
/// problem_bodies=false the body is empty. Nothing when already answered.
void answer_error(const ExchangePtr& exchange, std::exception_ptr error);

/// The answer that a problem makes; `instance` is the id of the exchange.
Response problem_response(const Problem& problem, const std::string& instance,
                          bool empty_body = false);

struct ErrorCode {
    const char* code;
    int status;
    const char* title;
};
/// The table of api-shapes section 10; a test checks that each has its page under docs/errors/.
const std::vector<ErrorCode>& error_codes();

/// nullptr when there is no such code.
const ErrorCode* find_error_code(std::string_view code);

}  // namespace patchbay
