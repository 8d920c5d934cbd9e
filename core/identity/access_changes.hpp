// When somebody's access ends or becomes another one: what they hold open, sockets above all, has
// to follow.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace patchbay {

struct AccessChange {
    enum class Kind {
        ended,          ///< Signed out, disabled, deleted, password changed: close 4401.
        rights_changed  ///< Another role or other departments: close 4403, or look again.
    };
    std::string user_id;
    std::string credential{};  ///< Caller::credential that ended; empty: all of the user's.
    Kind kind = Kind::ended;
    bool operator==(const AccessChange&) const = default;
};

using AccessListener = std::function<void(const AccessChange&)>;

/// Reaches Identity::on_access_change when `tx` has been committed.
void note_access_change(Transaction& tx, const AccessChange& change);

/// The access changes among what was committed, in order.
std::vector<AccessChange> access_changes_in(const Changes& changes);

}  // namespace patchbay
