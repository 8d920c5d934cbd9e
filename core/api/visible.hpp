// Whether a caller may see what hangs on a conversation: messages, deliveries, contacts.
#pragma once
#include <map>
#include <string>

#include "identity/access.hpp"
#include "messaging/views.hpp"

namespace patchbay {

/// Conversations that were looked at for one page; a page has few.
class Visible {
public:
    Visible(Session& session, const Caller& caller) : session_(session), sight_(sight_of(caller)) {}
    bool operator()(const std::string& conversation_id) {
        if (sight_.all) return true;
        const auto [found, fresh] = known_.try_emplace(conversation_id, false);
        if (fresh) {
            const auto one = find_conversation(session_, conversation_id);
            found->second = one && sight_.covers(one->department, one->kind, one->assignee);
        }
        return found->second;
    }

private:
    Session& session_;
    Sight sight_;
    std::map<std::string, bool> known_;
};

}  // namespace patchbay
