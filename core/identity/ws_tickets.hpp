// Tickets with which a page opens its WebSocket where it cannot set a header (S67).
#pragma once
#include <string>

#include "http/exchange.hpp"
#include "store/store.hpp"

namespace patchbay {

struct WsTicket {
    std::string secret;  ///< wst_ and 256 random bits. The store has only their SHA-256.
    TimeMs expires_at = 0;
};

/// For the sign-in of `caller`, a user; opens one socket within 30 s. [any thread] Writes and
/// waits.
WsTicket make_ws_ticket(Store& store, const Caller& caller);

/// Whom it was made for, with that sign-in's own end. Throws Problem unauthenticated for one that
/// is unknown, used or old, and when the sign-in has ended meanwhile. [any thread] Writes and
/// waits.
Caller use_ws_ticket(Store& store, const std::string& secret);

}  // namespace patchbay
