// GET /api/v1/departments
#include "identity/departments.hpp"

#include "api/answers.hpp"
#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "identity/statements.hpp"

namespace patchbay {
namespace {

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "departments");
    std::map<std::string, int64_t> members;
    for (const Row& row : context.store.read(
             [](Session& session) { return session.run(sql::department_members); })) {
        members[row.text(0)] = row.number(1);
    }
    const ConfigPtr config = context.config();
    JsonArray items = make_array();
    for (const std::string& name : config->departments) {
        JsonObject json = make_object();
        json->set("name", name);
        json->set("slug", department_slug(name));
        json->set("members", members[name]);
        items->add(json);
    }
    answer_json(exchange, 200, list_json(items, std::nullopt));
}

}  // namespace

void add_department_routes(Router& router, ApiContext& context) {
    router.add({.name = "departments.list",
                .method = "GET",
                .path = "/api/v1/departments",
                .roles = roles::config_readers,
                .about = "The departments in the order of the configuration, with their number of "
                         "active members.",
                .query = list_query(),
                .answers = page_of("Department")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
}

}  // namespace patchbay
