// Everything that is kept about one person, as JSON (S86).
#pragma once
#include "api/api.hpp"
#include "delivery/tasks.hpp"

namespace patchbay {

inline constexpr std::chrono::hours keep_export{24};

/// contact, consents, consent_history, conversations with their messages.
std::string export_contact(Session& session, const std::string& contact_id, TimeMs now);

/// For jobs of kind `export`. `store` must outlive the runner.
void add_export_to(TaskRunner& runner, Store& store);

}  // namespace patchbay
