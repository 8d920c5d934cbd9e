#include "errors.hpp"

#include <algorithm>
#include <array>

namespace patchbay::twilio {
namespace {

struct Entry {
    std::string_view code, words;
    std::string_view refusal = "provider_refused";
    bool for_the_operator = false;
};

constexpr std::string_view bad_number = "invalid_phone_number", refused = "provider_refused";

constexpr std::array table{
    Entry{"20003", "wrong credentials, or an account without permission", refused, true},
    Entry{"20005", "the account is not active", refused, true},
    Entry{"21211", "not a phone number", bad_number},
    Entry{"21212", "the sender is not a phone number", refused, true},
    Entry{"21408", "the region is not enabled for the account", refused, true},
    Entry{"21606", "the sender is not ours, or cannot send this", refused, true},
    Entry{"21608", "a trial account sends to verified numbers only", refused, true},
    Entry{"21610", "the recipient has opted out", "recipient_opted_out"},
    Entry{"21611", "the sender has too many messages queued"},
    Entry{"21612", "not reachable from this sender", bad_number},
    Entry{"21614", "not a mobile number", bad_number},
    Entry{"21617", "more than 1600 characters"},
    Entry{"21620", "the media URL is not usable"},
    Entry{"21623", "too many media files"},
    Entry{"21655", "there is no such content template", refused, true},
    Entry{"21656", "the template's variables are not as it needs them"},
    Entry{"21703", "the messaging service has no sender", refused, true},
    Entry{"21704", "the messaging service has no sender", refused, true},
    Entry{"21705", "there is no such messaging service", refused, true},
    Entry{"21910", "sender and recipient are of two channels", refused, true},
    Entry{"30001", "the sender's queue overflowed"},
    Entry{"30002", "the account is suspended", refused, true},
    Entry{"30003", "the handset cannot be reached"},
    Entry{"30004", "blocked by the recipient or the carrier"},
    Entry{"30005", "unknown handset", bad_number},
    Entry{"30006", "landline or carrier", bad_number},
    Entry{"30007", "filtered by the carrier"},
    Entry{"30008", "not delivered, for no known reason"},
    Entry{"30010", "over the highest price", refused, true},
    Entry{"30022", "over the rate of the registered sender"},
    Entry{"30023", "over the day's limit of the registered sender"},
    Entry{"30032", "the sender is not verified", refused, true},
    Entry{"30034", "the sender is not registered", refused, true},
    Entry{"30035", "the sender is not registered", refused, true},
    Entry{"30410", "the carrier did not answer in time"},
    Entry{"63001", "the channel refused the credentials", refused, true},
    Entry{"63003", "not on WhatsApp", bad_number},
    Entry{"63005", "the content was refused"},
    Entry{"63007", "there is no such WhatsApp sender", refused, true},
    Entry{"63009", "the channel failed"},
    Entry{"63010", "the platform failed"},
    Entry{"63012", "the channel failed"},
    Entry{"63013", "against the channel's policy"},
    Entry{"63015", "the recipient has not joined the sandbox", refused, true},
    Entry{"63016", "outside the 24-hour window; use a template", "window_closed"},
    Entry{"63018", "over the channel's rate"},
    Entry{"63019", "the media could not be fetched"},
    Entry{"63021", "the content was refused"},
    Entry{"63024", "not on WhatsApp", bad_number},
    Entry{"63031", "sender and recipient are the same or of two channels", refused, true},
    Entry{"63032", "held back by an experiment of WhatsApp"},
    Entry{"63033", "blocked by the recipient"},
    Entry{"63038", "over the account's day limit", refused, true},
    Entry{"63040", "the template was rejected", refused, true},
    Entry{"63041", "the template is paused", refused, true},
    Entry{"63042", "the template is disabled", refused, true},
    Entry{"63051", "the WhatsApp account is locked", refused, true},
};

const Entry* find(std::string_view code) {
    const auto found = std::find_if(table.begin(), table.end(),
                                    [&](const Entry& entry) { return entry.code == code; });
    return found == table.end() ? nullptr : &*found;
}

}  // namespace

std::string_view words_for(std::string_view code) {
    const Entry* entry = find(code);
    return entry ? entry->words : std::string_view{};
}

std::string refusal_code(std::string_view code) {
    const Entry* entry = find(code);
    return std::string{entry ? entry->refusal : refused};
}

bool is_for_the_operator(std::string_view code) {
    const Entry* entry = find(code);
    return entry && entry->for_the_operator;
}

}  // namespace patchbay::twilio
