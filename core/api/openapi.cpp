// GET /api/v1/openapi.json
#include "api/answers.hpp"
#include "api/openapi_document.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"

namespace patchbay {

void add_openapi_routes(Router& router) {
    router.add({.name = "openapi.get",
                .method = "GET",
                .path = "/api/v1/openapi.json",
                .roles = roles::everyone,
                .about = "This description, with the routes of the plugins that are loaded.",
                .answers = {{.schema = "AnyObject"}}},
               [&router](const ExchangePtr& exchange) {
                   answer_json(exchange, 200, openapi_document(router.all()));
               });
}

}  // namespace patchbay
