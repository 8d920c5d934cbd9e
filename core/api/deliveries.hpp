// What others show of a delivery.
#pragma once
#include <optional>

#include "base/json.hpp"
#include "store/store.hpp"

namespace patchbay {

struct ShownDelivery {
    std::string conversation_id;  ///< Empty: none.
    JsonObject json;
};
/// nullopt: there is no such delivery; jobs of other kinds are none.
std::optional<ShownDelivery> find_delivery(Session& session, const std::string& id);

}  // namespace patchbay
