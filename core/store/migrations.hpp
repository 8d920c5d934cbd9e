// The core's migrations, embedded in the binary from migrations/*.sql.
#pragma once
#include <vector>

#include "store/store.hpp"

namespace patchbay {

/// Component "core", in order of version. The name is the file's, without ".sql".
const std::vector<Migration>& core_migrations();

}  // namespace patchbay
