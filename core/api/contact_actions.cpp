// PATCH /api/v1/contacts/{id}; POST .../merge, opt-out, opt-in
#include "api/contacts.hpp"
#include "api/fields.hpp"
#include "api/idempotency.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/shapes.hpp"
#include "identity/audit.hpp"
#include "messaging/consent.hpp"
#include "messaging/contacts.hpp"

namespace patchbay {
namespace {

constexpr size_t max_attribute_bytes = 16 << 10;

Response contact_response(Transaction& tx, const std::string& id) {
    return json_response(200, contact_json(tx, find_contact(tx, id).value()));
}

void change(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    ContactChanges changes;
    changes.name = fields.text("name", 200);
    if (const JsonObject attributes = fields.object("attributes")) {
        changes.attributes = to_json(attributes);
        if (changes.attributes->size() > max_attribute_bytes) {
            fields.refuse("attributes", "invalid_field", "is larger than 16 KiB");
        }
    }
    fields.done();
    exchange->answer(context.store.write([&](Transaction& tx) {
        const auto before = require_contact(tx, exchange->caller, exchange->params.at("id"));
        change_contact(tx, before, changes, context.now());
        return contact_response(tx, before.id);
    }));
}

ContactView require_target(Session& session, const Caller& caller, const std::string& id,
                           const ContactView& gone) {
    const auto refuse = [](const std::string& why) {
        return Problem("invalid_field", "into " + why + ".", {{"/into", "invalid_field", why}});
    };
    try {
        auto kept = require_contact(session, caller, id);
        if (kept.id == gone.id) throw refuse("is the same contact");
        return kept;
    } catch (const Problem& problem) {
        if (problem.code == "unknown_id") throw refuse("names no contact");
        throw;
    }
}

void merge(const ExchangePtr& exchange, ApiContext& context) {
    Fields fields(exchange->request());
    const std::string into = fields.required_text("into", 64);
    fields.done();
    answer_once(exchange, context,
                [&context, caller = exchange->caller, id = exchange->params.at("id"), into,
                 record = audit_of(exchange, "contact.merge", "contact")](Transaction& tx) {
                    const auto gone = require_contact(tx, caller, id);
                    const auto kept = require_target(tx, caller, into, gone);
                    merge_contacts(tx, context.ids(), {gone.id, kept.id, caller.id, context.now()});
                    AuditRecord done = record;
                    done.object = gone.id;
                    done.after = make_object();
                    done.after->set("into", kept.id);
                    append_audit(tx, done, context.now());
                    return contact_response(tx, kept.id);
                });
}

/// An instance, or "*" where none is given: all channels, those of later too.
std::string read_channel(Fields& fields, const ApiContext& context) {
    const auto channel = fields.text("channel", 63);
    if (!channel || *channel == "*") return "*";
    if (!find_instance(*context.config(), *channel)) {
        fields.refuse("channel", "unknown_channel", "names none");
    }
    return *channel;
}

void set_consent_of(const ExchangePtr& exchange, ApiContext& context, const std::string& state) {
    Fields fields(exchange->request());
    const std::string channel = read_channel(fields, context);
    const std::string reason = fields.text("reason", 500).value_or("");
    fields.done();
    answer_once(exchange, context,
                [&context, caller = exchange->caller, id = exchange->params.at("id"), channel,
                 reason, state](Transaction& tx) {
                    const auto contact = require_contact(tx, caller, id);
                    for (const Address& address : contact.addresses) {
                        set_consent(tx, context.ids(),
                                    {address, channel, state, "api", reason,
                                     caller.kind + ":" + caller.id, context.now()});
                    }
                    return contact_response(tx, contact.id);
                });
}

}  // namespace

void add_contact_action_routes(Router& router, ApiContext& context) {
    router.add({.name = "contacts.change",
                .method = "PATCH",
                .path = "/api/v1/contacts/{id}",
                .body = BodyKind::json,
                .roles = roles::contact_writers,
                .about = "Changes the name, or replaces the attributes.",
                .takes = "ContactChanges",
                .answers = {{.schema = "Contact"}}},
               [&](const ExchangePtr& exchange) { change(exchange, context); });
    router.add({.name = "contacts.merge",
                .method = "POST",
                .path = "/api/v1/contacts/{id}/merge",
                .body = BodyKind::json,
                .roles = roles::contact_writers,
                .about = "One person taken for two: its addresses and conversations become those "
                         "of the contact that is kept.",
                .takes = "MergeWish",
                .answers = {{.schema = "Contact"}}},
               [&](const ExchangePtr& exchange) { merge(exchange, context); });
    for (const std::string state : {"out", "in"}) {
        router.add(
            {.name = "contacts.opt_" + state,
             .method = "POST",
             .path = "/api/v1/contacts/{id}/opt-" + state,
             .body = BodyKind::json,
             .roles = roles::contact_writers,
             .about = state == "out" ? "Nothing is sent to the contact's addresses any more: on "
                                       "one channel, or on all where none is given."
                                     : "Takes an opt-out back: on one channel, or on all where "
                                       "none is given.",
             .takes = "ConsentWish",
             .answers = {{.schema = "Contact"}},
             .problems = {"unknown_channel"}},
            [&context, state](const ExchangePtr& exchange) {
                set_consent_of(exchange, context, state);
            });
    }
}

}  // namespace patchbay
