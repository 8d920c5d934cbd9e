// What a bulk send keeps of its draft and of who asked for it.
#pragma once
#include <string>

#include "delivery/outbox.hpp"
#include "http/exchange.hpp"

namespace patchbay {

/// JSON; limits and recipient are not in it.
std::string bulk_draft_json(const Draft& draft, const Caller& caller);

struct BulkDraft {
    Draft draft;
    Caller caller;
};
/// Throws JsonError.
BulkDraft bulk_draft_from(const std::string& json);

}  // namespace patchbay
