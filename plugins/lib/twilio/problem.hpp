// Errors of the products' endpoints: problem+json with a stable code (RFC 9457).
#pragma once
#include <Poco/Dynamic/Var.h>

#include <patchbay/sdk.hpp>
#include <string>
#include <utility>
#include <vector>

namespace patchbay::twilio {

struct FieldError {
    std::string field, code, detail;
};

struct Problem {
    int status = 400;
    std::string code, title, detail;
    std::vector<FieldError> errors{};
    /// More members of the object, in this order.
    std::vector<std::pair<std::string, Poco::Dynamic::Var>> members{};
    milliseconds retry_after{0};
};

/// `request` gives `instance`.
Response problem_answer(const Problem& problem, const Request& request);

/// One problem for all faulty fields: the first one's code. `status`: 400 or 422, as the product
/// answers them.
Problem field_problem(std::vector<FieldError> errors, int status = 400);

}  // namespace patchbay::twilio
