// GET /api/v1/contacts, /{id}
#include <patchbay/sdk.hpp>

#include "api/lists.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "api/shapes.hpp"
#include "identity/access.hpp"
#include "messaging/phone.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

constexpr int64_t conversations_looked_at = 50;

/// A contact is seen by whom one of its conversations is seen.
bool covers(Session& session, const Sight& sight, const std::string& contact_id) {
    if (sight.all) return true;
    const Rows rows =
        session.run(sql::conversation_list_contact,
                    {contact_id, INT64_MAX, std::string("g"), conversations_looked_at});
    return std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
        const auto one = ConversationView::from_row(row);
        return sight.covers(one.department, one.kind, one.assignee);
    });
}

bool mentions(const ContactView& contact, const std::string& words) {
    const std::string wanted = ascii_lower(words);
    if (ascii_lower(contact.name).find(wanted) != std::string::npos) return true;
    return std::any_of(contact.addresses.begin(), contact.addresses.end(), [&](const auto& one) {
        return ascii_lower(one.value).find(wanted) != std::string::npos;
    });
}

std::vector<ContactView> fetch(Session& session, const Cursor& after, int64_t count) {
    std::vector<ContactView> found;
    for (const Row& row : session.run(sql::contact_list, {after.number, after.text, count})) {
        found.push_back(ContactView::from_row(row));
    }
    load_addresses(session, found);
    return found;
}

/// The one contact with an address; phones in any form.
std::vector<ContactView> with_address(Session& session, const std::string& text) {
    const auto address = parse_address(text);
    if (!address) return {};
    const auto row = session.first(sql::address_find, {address->kind, address->value});
    const auto contact = row ? find_contact(session, row->text(1)) : std::nullopt;
    if (!contact) return {};
    return {*contact};
}

void list_all(const ExchangePtr& exchange, ApiContext& context) {
    const ListRequest list(exchange->request(), "contacts", {"q", "address"});
    const Sight sight = sight_of(exchange->caller);
    const auto address = list.filter("address");
    const auto words = list.filter("q");
    const JsonObject answer = context.store.read([&](Session& session) {
        Scan<ContactView> scan;
        scan.fetch = [&](const Cursor& after, int64_t count) {
            return address ? with_address(session, *address) : fetch(session, after, count);
        };
        scan.cursor_of = [](const auto& one) { return Cursor{one.last_message_at, one.id}; };
        scan.judge = [&](const ContactView& one) {
            const bool wanted = !words || mentions(one, *words);
            return wanted && covers(session, sight, one.id) ? Keep::yes : Keep::no;
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
        const auto contact = find_contact(session, exchange->params.at("id"));
        if (!contact || !covers(session, sight_of(exchange->caller), contact->id)) {
            throw unknown_id("contact");
        }
        return contact_json(session, *contact);
    });
    answer_json(exchange, 200, answer);
}

}  // namespace

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
