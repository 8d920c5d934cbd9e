#include "app/request_pipeline.hpp"

#include "http/cors.hpp"
#include "http/observe.hpp"
#include "http/stages.hpp"

namespace patchbay {

RequestPipeline hub_pipeline(const HubConfig& config, Router& router, Identity& identity) {
    return {
        observe_requests(config.log.access),        // First, so that it sees every answer.
        answer_errors,                              // Around all others.
        allow_origins(config.server.cors_origins),  // Errors need its headers too.
        find_route(router),
        dispatch,  // What follows may take time: it runs where the route says.
        authenticate_api(identity),
        authorise(),  // Before anything looks into what was sent.
        check_body,
        check_query,
    };
}

}  // namespace patchbay
