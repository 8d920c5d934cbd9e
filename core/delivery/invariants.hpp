// What must never be true of the tables (guarantees section 6). For `patchbay doctor`, fault tests
// and a metric.
#pragma once
#include <string>
#include <vector>

#include "store/store.hpp"

namespace patchbay {

/// One sentence for each thing that is broken, with the first ten rows; empty: all is well. Reads
/// whole tables.
std::vector<std::string> broken_invariants(Session& session, TimeMs now);

}  // namespace patchbay
