#include "messaging/sight.hpp"

#include "messaging/sight_statements.hpp"

namespace patchbay {
namespace {

/// "\n\nReception\nBar\n": each name between line breaks, the empty one for no department.
std::string joined(const Sight& sight) {
    std::string names = "\n";
    if (sight.without_department) names += '\n';
    for (const auto& name : sight.departments) {
        // One that could be read as two is none.
        if (!name.empty() && name.find('\n') == std::string::npos) names += name + '\n';
    }
    return names;
}

}  // namespace

Values sight_values(const Sight& sight, const Values& more) {
    Values values = {int64_t{sight.all}, nullable(sight.assignee), joined(sight)};
    values.insert(values.end(), more.begin(), more.end());
    return values;
}

std::optional<ConversationView> find_seen_conversation(Session& session, const Sight& sight,
                                                       const std::string& id) {
    const auto number = as_number(id);
    const auto row =
        number ? session.first(sql::conversation_seen_by_number, sight_values(sight, {*number}))
               : session.first(sql::conversation_seen, sight_values(sight, {id}));
    if (!row) return std::nullopt;
    return ConversationView::from_row(*row);
}

std::optional<MessageView> find_seen_message(Session& session, const Sight& sight,
                                             const std::string& id) {
    const auto number = as_number(id);
    const auto row =
        number ? session.first(sql::message_seen_by_number, sight_values(sight, {*number}))
               : session.first(sql::message_seen, sight_values(sight, {id}));
    if (!row) return std::nullopt;
    return find_message(session, row->text(0));
}

std::optional<ContactView> find_seen_contact(Session& session, const Sight& sight,
                                             const std::string& id) {
    // The id of one that was merged means the one that was kept.
    auto found = find_contact(session, id);
    if (!found || !session.first(sql::contact_seen, sight_values(sight, {found->id}))) {
        return std::nullopt;
    }
    return found;
}

}  // namespace patchbay
