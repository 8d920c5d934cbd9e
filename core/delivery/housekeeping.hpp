// What nobody asks for but time: validity, retention, statuses that met late. Each is one round,
// for a caller that repeats it.
#pragma once
#include <cstddef>

#include "delivery/sender.hpp"

namespace patchbay {

/// Sends whose validity has passed while they waited, also while their channel is paused:
/// `expired`, and their lanes go on (G14).
size_t expire_sends(DeliveryContext& context);

/// Early statuses whose message has got its provider id meanwhile (G9).
size_t reunite_statuses(DeliveryContext& context);

/// Deletes one batch each of ended jobs (7 d), dead jobs and attempts (30 d) and early statuses
/// nobody claimed (72 h); tasks after 30 d. True: there is more to delete.
bool sweep_deliveries(Store& store);

}  // namespace patchbay
