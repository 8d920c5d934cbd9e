// The words of a message's status and their rank: a status only moves to a higher rank (G8,
// guarantees section 4).
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>

#include "store/store.hpp"

namespace patchbay {

/// received 0, queued 10, sending 20, unknown 25, accepted 30, sent 40, failed|expired|cancelled
/// 45, delivered 50, read 60. Throws std::invalid_argument for any other word.
int rank_of(std::string_view status);

/// The stored word of what a plugin reports. Throws std::invalid_argument for none and for numbers
/// a newer plugin may send.
std::string_view word_of(DeliveryStatus status);

/// The other way; `none` for what has no counterpart (received).
DeliveryStatus status_of(std::string_view word);

/// Nothing more can come but hard evidence: failed, expired, cancelled, delivered, read.
bool is_final(std::string_view status);

/// For patchbay_messages_total: a message has got this status; `direction` is in, out or note.
void count_message(Transaction& tx, std::string_view channel, std::string_view direction,
                   std::string_view status);

}  // namespace patchbay
