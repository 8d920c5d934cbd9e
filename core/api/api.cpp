#include "api/api.hpp"

#include <future>

#include "api/resources.hpp"
#include "http/stages.hpp"

namespace patchbay {

void add_api_routes(Router& router, ApiContext& context) {
    add_health_routes(router, context);
    add_metrics_routes(router, context);
    add_auth_routes(router, context);
    add_welcome_routes(router, context);
    add_user_routes(router, context);
    add_api_key_routes(router, context);
    add_audit_routes(router, context);
    add_conversation_routes(router, context);
    add_conversation_action_routes(router, context);
    add_message_routes(router, context);
    add_bulk_routes(router, context);
    add_job_routes(router, context);
    add_contact_routes(router, context);
    add_contact_action_routes(router, context);
    add_contact_privacy_routes(router, context);
    add_department_routes(router, context);
    add_channel_routes(router, context);
    add_plugin_routes(router, context);
    add_ingress_routes(router, context);
    add_replay_routes(router, context);
    add_delivery_routes(router, context);
    add_live_routes(router, context);
    add_config_routes(router, context);
    add_flow_routes(router, context);
    add_template_routes(router, context);
    add_webhook_routes(router, context);
    add_media_routes(router, context);
    add_openapi_routes(router);
    add_docs_routes(router, context);
}

Response call_locally(Router& router, ApiContext& context, HttpRequest request) {
    request.control = true;
    auto answer = std::make_shared<std::promise<Response>>();
    auto result = answer->get_future();
    {
        const RequestPipeline pipeline{answer_errors,
                                       find_route(router),
                                       check_body,
                                       check_query,
                                       authenticate_api(context.identity),
                                       authorise()};
        pipeline.run(std::make_shared<Exchange>(
            std::move(request), "local",
            [answer](Response response) { answer->set_value(std::move(response)); }));
    }
    return result.get();
}

}  // namespace patchbay
