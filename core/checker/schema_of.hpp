// The schema of a loaded copy's configuration.
#pragma once
#include <patchbay/detail/schema.hpp>

#include "checker/trial.hpp"

namespace patchbay::checker {

/// Throws Failed where describe() gives none.
detail::Schema schema_of(const Copy& copy);

}  // namespace patchbay::checker
