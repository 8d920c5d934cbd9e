// The stages that every request passes; the folders above add authentication and what else a
// pipeline needs.
//
//   RequestPipeline{answer_errors, find_route(router), check_body, dispatch, ...}
#pragma once
#include "http/exchange.hpp"
#include "http/router.hpp"

namespace patchbay {

/// The one place where an exception becomes an answer. First, so that it stands around all others.
void answer_errors(const ExchangePtr& exchange, const Next& next);

/// Sets route and params. Unknown path 404, wrong method 405 with Allow, OPTIONS 204 with Allow.
Stage find_route(Router& router);

/// The type of the bodies that a kind takes; empty: any.
std::string_view media_type(BodyKind kind);

/// The body is of the kind the route takes (S31): other types and any Content-Encoding are 415.
/// Does not look into the body.
void check_body(const ExchangePtr& exchange, const Next& next);

/// A described route of /api/v1 takes the query keys of its RouteSpec and no others: 400
/// unknown_parameter, duplicate_parameter.
void check_query(const ExchangePtr& exchange, const Next& next);

/// Goes on where the route runs: on this thread, or on a pool. A full pool: 503 busy.
void dispatch(const ExchangePtr& exchange, const Next& next);

}  // namespace patchbay
