// One function per resource; add_api_routes calls them all.
#pragma once
#include "api/api.hpp"

namespace patchbay {

void add_auth_routes(Router& router, ApiContext& context);
void add_api_key_routes(Router& router, ApiContext& context);
void add_audit_routes(Router& router, ApiContext& context);
void add_welcome_routes(Router& router, ApiContext& context);
void add_user_routes(Router& router, ApiContext& context);
void add_conversation_routes(Router& router, ApiContext& context);
void add_conversation_action_routes(Router& router, ApiContext& context);
void add_message_routes(Router& router, ApiContext& context);
void add_contact_routes(Router& router, ApiContext& context);
void add_bulk_routes(Router& router, ApiContext& context);
void add_job_routes(Router& router, ApiContext& context);
void add_contact_action_routes(Router& router, ApiContext& context);
void add_contact_privacy_routes(Router& router, ApiContext& context);
void add_department_routes(Router& router, ApiContext& context);
void add_channel_routes(Router& router, ApiContext& context);
void add_plugin_routes(Router& router, ApiContext& context);
void add_ingress_routes(Router& router, ApiContext& context);
void add_replay_routes(Router& router, ApiContext& context);
void add_delivery_routes(Router& router, ApiContext& context);
void add_live_routes(Router& router, ApiContext& context);
void add_config_routes(Router& router, ApiContext& context);
void add_flow_routes(Router& router, ApiContext& context);
void add_template_routes(Router& router, ApiContext& context);
void add_webhook_routes(Router& router, ApiContext& context);
void add_media_routes(Router& router, ApiContext& context);
void add_health_routes(Router& router, ApiContext& context);
void add_metrics_routes(Router& router, ApiContext& context);
void add_openapi_routes(Router& router);
void add_docs_routes(Router& router, ApiContext& context);

}  // namespace patchbay
