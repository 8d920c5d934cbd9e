// Tasks as the API shows them.
#pragma once
#include "api/answers.hpp"
#include "delivery/tasks.hpp"

namespace patchbay {

/// Without results.
JsonObject job_json(Session& session, const TaskView& task);

/// 202 {"job": ..}, with its place.
Response job_response(Transaction& tx, const std::string& id);

}  // namespace patchbay
