// Opt-out and opt-in by word, API or provider, kept by address (data-model.md: an opt-out survives
// merges and new contacts).
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>

#include "messaging/mint.hpp"

namespace patchbay {

enum class ConsentWord { none, stop, start, help };

/// STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, REVOKE, OPTOUT; START, YES, UNSTOP; HELP, INFO:
/// alone in the text, any case. Source:
/// https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
ConsentWord consent_word(std::string_view text);

/// True after an opt-out for this channel or for all; of the two the later word counts.
bool is_opted_out(Session& session, const Address& address, const std::string& channel);

struct ConsentChange {
    Address address;
    std::string channel;   ///< an instance, or "*"
    std::string state;     ///< in or out
    std::string source;    ///< word, api, provider
    std::string evidence;  ///< message id, or the reason somebody gave; may be empty
    std::string actor;
    TimeMs at = 0;
};
/// The later `at` wins. Every change is recorded.
void set_consent(Transaction& tx, Ids& ids, const ConsentChange& change);

}  // namespace patchbay
