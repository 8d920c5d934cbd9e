// POST /api/v1/contacts/{id}/export, erase
#include "api/contacts.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/jobs.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "delivery/erasure.hpp"
#include "identity/audit.hpp"

namespace patchbay {
namespace {

std::string actor_of(const Caller& caller) { return caller.kind + ":" + caller.id; }

void append(Transaction& tx, AuditRecord record, const std::string& contact, TimeMs now) {
    record.object = contact;
    append_audit(tx, record, now);
}

Response accepted(Transaction& tx, const std::string& id) {
    Response response = json_response(202, job_json(tx, find_task(tx, id).value()));
    response.headers["location"] = "/api/v1/jobs/" + id;
    return response;
}

void begin_export(const ExchangePtr& exchange, ApiContext& context) {
    answer_once(
        exchange, context,
        [&context, caller = exchange->caller, id = exchange->params.at("id"),
         trace = exchange->id(),
         record = audit_of(exchange, "contact.export", "contact")](Transaction& tx) {
            const auto contact = require_contact(tx, caller, id);
            append(tx, record, contact.id, context.now());
            return accepted(tx, add_task(tx, context.ids(),
                                         {.kind = "export",
                                          .actor = actor_of(caller),
                                          .subject = contact.id,
                                          .total = 1},
                                         trace, context.now()));
        },
        [&context] { context.wake(task_queue); });
}

/// A name that is typed is meant; who has none is confirmed by one of the addresses.
void require_confirmed(const ContactView& contact, const std::string& confirm) {
    const auto& all = contact.addresses;
    const bool is_meant =
        contact.name.empty() ? std::any_of(all.begin(), all.end(),
                                           [&](const Address& one) { return one.value == confirm; })
                             : contact.name == confirm;
    if (is_meant) return;
    throw Problem("invalid_field", "confirm is not the contact's name.",
                  {{"/confirm", "invalid_field", "is not the contact's name"}});
}

void begin_erase(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const std::string confirm = fields.required_text("confirm", 320);
    fields.done();
    answer_once(
        exchange, context,
        [&context, caller = exchange->caller, id = exchange->params.at("id"),
         trace = exchange->id(), confirm,
         record = audit_of(exchange, "contact.erase", "contact")](Transaction& tx) {
            const auto contact = require_contact(tx, caller, id);
            require_confirmed(contact, confirm);
            append(tx, record, contact.id, context.now());
            return accepted(tx, begin_erasure(tx, context.ids(), {contact, actor_of(caller), trace},
                                              context.now()));
        },
        [&context] { context.wake(task_queue); });
}

}  // namespace

void add_contact_privacy_routes(Router& router, ApiContext& context) {
    router.add({.name = "contacts.export",
                .method = "POST",
                .path = "/api/v1/contacts/{id}/export",
                .body = BodyKind::none,
                .roles = roles::admins,
                .about = "Collects all that is kept about a person; the job says where it is "
                         "fetched.",
                .answers = {{202, "Job"}}},
               [&](const ExchangePtr& exchange) { begin_export(exchange, context); });
    router.add({.name = "contacts.erase",
                .method = "POST",
                .path = "/api/v1/contacts/{id}/erase",
                .body = BodyKind::json,
                .roles = roles::admins,
                .about = "Forgets a person: texts, files, raw webhooks, addresses. Nothing is sent "
                         "to them any more. confirm is the contact's name.",
                .takes = "EraseWish",
                .answers = {{202, "Job"}}},
               [&](const ExchangePtr& exchange) { begin_erase(exchange, context); });
}

}  // namespace patchbay
