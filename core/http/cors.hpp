// Which other origins may use the API from a browser (S6B).
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/exchange.hpp"

namespace patchbay {

/// Those of now. [any thread]
using CorsOrigins = std::function<std::shared_ptr<const std::vector<std::string>>()>;

/// Answers on /api and /health may be read, with credentials, by pages of exactly these origins;
/// for any other there is no CORS header at all. Before find_route, so that refusals can be read
/// too; the 204 of OPTIONS becomes the answer to a preflight.
Stage allow_origins(CorsOrigins origins);

}  // namespace patchbay
