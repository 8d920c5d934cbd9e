// What delivery refuses, in the words of the API.
#pragma once
#include "delivery/outbox.hpp"

namespace patchbay {

/// Throws the Problem with the refusal's code; unknown_id for what is not there.
[[noreturn]] void rethrow_refusal(const SendRefused& refused);

/// For RouteSpec::problems of what sends: those codes, and `more`.
std::vector<std::string> send_problems(std::vector<std::string> more = {});

}  // namespace patchbay
