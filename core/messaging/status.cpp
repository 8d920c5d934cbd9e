#include "messaging/status.hpp"

#include <array>
#include <stdexcept>
#include <utility>

namespace patchbay {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 11> ranks{{{"received", 0},
                                                                  {"queued", 10},
                                                                  {"sending", 20},
                                                                  {"unknown", 25},
                                                                  {"accepted", 30},
                                                                  {"sent", 40},
                                                                  {"failed", 45},
                                                                  {"expired", 45},
                                                                  {"cancelled", 45},
                                                                  {"delivered", 50},
                                                                  {"read", 60}}};
constexpr int rank_failed = 45;

const Family<Counter> messages_total{"patchbay_messages_total",
                                     "Messages that got a status, once for each.",
                                     {"channel", "direction", "status"},
                                     1'000};

// In the order of DeliveryStatus.
constexpr std::array<std::string_view, 11> words{"",          "queued",    "sending", "unknown",
                                                 "accepted",  "sent",      "failed",  "expired",
                                                 "cancelled", "delivered", "read"};

}  // namespace

int rank_of(std::string_view status) {
    for (const auto& [word, rank] : ranks) {
        if (word == status) return rank;
    }
    throw std::invalid_argument("no such message status: " + std::string{status});
}

std::string_view word_of(DeliveryStatus status) {
    const auto number = static_cast<size_t>(status);
    if (number == 0 || number >= words.size()) {
        throw std::invalid_argument("a delivery event without a status");
    }
    return words[number];
}

DeliveryStatus status_of(std::string_view word) {
    for (size_t number = 1; number < words.size(); ++number) {
        if (words[number] == word) return static_cast<DeliveryStatus>(number);
    }
    return DeliveryStatus::none;
}

bool is_final(std::string_view status) { return rank_of(status) >= rank_failed; }

void count_message(Transaction& tx, std::string_view channel, std::string_view direction,
                   std::string_view status) {
    tx.count(messages_total.with({channel, direction, status}));
}

}  // namespace patchbay
