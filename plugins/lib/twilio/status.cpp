#include "status.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace patchbay::twilio {
namespace {

constexpr std::array<std::pair<std::string_view, DeliveryStatus>, 11> words{{
    {"accepted", DeliveryStatus::accepted},
    {"scheduled", DeliveryStatus::accepted},
    {"queued", DeliveryStatus::accepted},
    // Our own `sending` means that we do not know yet whether the provider has it; Twilio has.
    {"sending", DeliveryStatus::accepted},
    {"sent", DeliveryStatus::sent},
    // Some of several handsets have it: no proof for all of them.
    {"partially_delivered", DeliveryStatus::sent},
    {"delivered", DeliveryStatus::delivered},
    {"read", DeliveryStatus::read},
    {"undelivered", DeliveryStatus::failed},
    {"failed", DeliveryStatus::failed},
    {"canceled", DeliveryStatus::cancelled},
}};

}  // namespace

std::optional<DeliveryStatus> delivery_status(std::string_view word) {
    const auto found = std::find_if(words.begin(), words.end(),
                                    [&](const auto& entry) { return entry.first == word; });
    if (found == words.end()) return std::nullopt;
    return found->second;
}

bool is_inbound_status(std::string_view word) { return word == "receiving" || word == "received"; }

}  // namespace patchbay::twilio
