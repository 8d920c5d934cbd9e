// What every request of the hub passes, in order.
#pragma once
#include "config/current_config.hpp"
#include "http/exchange.hpp"
#include "http/router.hpp"
#include "identity/identity.hpp"

namespace patchbay {

/// `router` and `identity` have to outlive the pipeline.
RequestPipeline hub_pipeline(const CurrentConfig& config, Router& router, Identity& identity);

}  // namespace patchbay
