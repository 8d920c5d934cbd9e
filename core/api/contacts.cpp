// GET /api/v1/contacts, /{id}
#include "api/contacts.hpp"

#include <patchbay/sdk.hpp>

#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/shapes.hpp"
#include "messaging/phone.hpp"
#include "messaging/sight.hpp"
#include "messaging/sight_statements.hpp"

namespace patchbay {
namespace {

bool mentions(const ContactView& contact, const std::string& words) {
    const std::string wanted = ascii_lower(words);
    if (ascii_lower(contact.name).find(wanted) != std::string::npos) return true;
    return std::any_of(contact.addresses.begin(), contact.addresses.end(), [&](const auto& one) {
        return ascii_lower(one.value).find(wanted) != std::string::npos;
    });
}

std::optional<Cursor> window_of(Session& session, const Cursor& after, int64_t count) {
    const auto row = session.first(sql::contact_window, {after.number, after.text, count - 1});
    return row ? std::optional(Cursor{row->number(0), row->text(1)}) : std::nullopt;
}

std::vector<ContactView> fetch(Session& session, const Sight& sight, const Cursor& after,
                               const std::optional<Cursor>& last) {
    const Cursor end = last.value_or(Cursor{INT64_MIN, ""});
    std::vector<ContactView> found;
    const Values range = {after.number, after.text, end.number, end.text};
    for (const Row& row : session.run(sql::contact_seen_all, sight_values(sight, range))) {
        found.push_back(ContactView::from_row(row));
    }
    load_addresses(session, found);
    return found;
}

/// The one contact with an address; phones in any form.
std::vector<ContactView> with_address(Session& session, const Sight& sight,
                                      const std::string& text) {
    const auto address = parse_address(text);
    if (!address) return {};
    const auto row = session.first(sql::address_find, {address->kind, address->value});
    const auto contact = row ? find_seen_contact(session, sight, row->text(1)) : std::nullopt;
    if (!contact) return {};
    return {*contact};
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "contacts");
    const Sight sight = sight_of(exchange->caller);
    const auto address = list.filter("address");
    const auto words = list.filter("q");
    const JsonObject answer = context.store.read([&](Session& session) {
        SeenScan<ContactView> scan;
        scan.window = [&](const Cursor& after, int64_t count) {
            return address ? std::nullopt : window_of(session, after, count);
        };
        scan.fetch = [&](const Cursor& after, const std::optional<Cursor>& last) {
            return address ? with_address(session, sight, *address)
                           : fetch(session, sight, after, last);
        };
        scan.cursor_of = [](const auto& one) { return Cursor{one.last_message_at, one.id}; };
        scan.judge = [&](const ContactView& one) {
            return !words || mentions(one, *words) ? Keep::yes : Keep::no;
        };
        const auto page = read_page(scan, list);
        JsonArray items = make_array();
        for (const auto& one : page.items) items->add(contact_json(session, one));
        return list_json(items,
                         page.next ? std::optional(list.cursor_text(*page.next)) : std::nullopt);
    });
    answer_json(exchange, 200, answer);
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    const JsonObject answer = context.store.read([&](Session& session) {
        return contact_json(session,
                            require_contact(session, exchange->caller, exchange->params.at("id")));
    });
    answer_json(exchange, 200, answer);
}

}  // namespace

ContactView require_contact(Session& session, const Caller& caller, const std::string& id) {
    auto contact = find_seen_contact(session, sight_of(caller), id);
    if (!contact) throw unknown_id("contact");
    return std::move(*contact);
}

void add_contact_routes(Router& router, ApiContext& context) {
    router.add({.name = "contacts.list",
                .method = "GET",
                .path = "/api/v1/contacts",
                .roles = roles::message_readers,
                .about = "Contacts, the one heard last first.",
                .query = list_query({{"q"}, {"address"}}),
                .answers = page_of("Contact")},
               [&](const ExchangePtr& exchange) { list_all(exchange, context); });
    router.add({.name = "contacts.get",
                .method = "GET",
                .path = "/api/v1/contacts/{id}",
                .roles = roles::message_readers,
                .about = "One contact.",
                .answers = {{.schema = "Contact"}}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
}

}  // namespace patchbay
