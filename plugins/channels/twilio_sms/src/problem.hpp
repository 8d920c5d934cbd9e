// Errors of the product's endpoints: problem+json with a stable code (RFC 9457).
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

namespace patchbay::twilio_sms {

struct FieldError {
    std::string field, code, detail;
};

struct Problem {
    int status = 400;
    std::string code, title, detail;
    std::vector<FieldError> errors{};
    Labels members{};  ///< More members of the object, all texts.
};

/// `request` gives `instance`.
Response problem_answer(const Problem& problem, const Request& request);

/// One problem for all faulty fields: the first one's code.
Problem field_problem(std::vector<FieldError> errors);

}  // namespace patchbay::twilio_sms
