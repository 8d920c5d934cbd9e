#include "identity/access_changes.hpp"

namespace patchbay {
namespace {

constexpr const char* access_ended = "access.ended";
constexpr const char* access_rights = "access.rights";

}  // namespace

// The id of a user and of a credential have no blanks.
void note_access_change(Transaction& tx, const AccessChange& change) {
    tx.note(change.kind == AccessChange::Kind::ended ? access_ended : access_rights,
            change.user_id + " " + change.credential);
}

std::vector<AccessChange> access_changes_in(const Changes& changes) {
    std::vector<AccessChange> found;
    for (const Change& change : changes) {
        const std::string_view what = change.what;
        if (what != access_ended && what != access_rights) continue;
        const size_t blank = change.id.find(' ');
        found.push_back({change.id.substr(0, blank), change.id.substr(blank + 1),
                         what == access_ended ? AccessChange::Kind::ended
                                              : AccessChange::Kind::rights_changed});
    }
    return found;
}

}  // namespace patchbay
