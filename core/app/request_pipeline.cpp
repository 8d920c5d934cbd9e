#include "app/request_pipeline.hpp"

#include "http/cors.hpp"
#include "http/observe.hpp"
#include "http/stages.hpp"

namespace patchbay {

namespace {

CorsOrigins cors_origins(const CurrentConfig& config) {
    return [&config] {
        const ConfigPtr now = config.get();
        return std::shared_ptr<const std::vector<std::string>>(now, &now->server.cors_origins);
    };
}

}  // namespace

RequestPipeline hub_pipeline(const CurrentConfig& config, Router& router, Identity& identity) {
    return {
        observe_requests(config.get()->log.access),  // First, so that it sees every answer.
        answer_errors,                               // Around all others.
        allow_origins(cors_origins(config)),         // Errors need its headers too.
        find_route(router),
        dispatch,  // What follows may take time: it runs where the route says.
        authenticate_api(identity),
        authorise(),  // Before anything looks into what was sent.
        check_body,
        check_query,
    };
}

}  // namespace patchbay
