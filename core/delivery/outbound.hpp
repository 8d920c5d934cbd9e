// A stored message as its channel's plugin gets it.
#pragma once
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>

#include "base/json.hpp"
#include "store/store.hpp"

namespace patchbay {

struct Outgoing {
    OutboundMessage message;
    std::string conversation_id, status;
    int64_t rank = 0;
    bool erased = false, opted_out = false;
};

/// A template as it is stored, and back.
JsonObject template_json(const Template& from);
Template template_from(const JsonObject& object);

/// nullopt: there is no such message. `job_id` dates its first attempt.
std::optional<Outgoing> load_outgoing(Session& session, const std::string& message_id,
                                      int64_t job_id);

}  // namespace patchbay
