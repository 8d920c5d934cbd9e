#include "base/ids.hpp"

#include <cstring>

#include "base/crypto.hpp"

namespace patchbay {
namespace {

constexpr TimeMs epoch_2025 = 1'735'689'600'000;
constexpr uint32_t machine_counters = 1u << 14;
constexpr uint32_t uuid_counters = 1u << 26;  // rand_a and the upper 14 bits of rand_b (RFC 9562).

// A call of the generator costs nearly the same for 8 bytes as for a thousand: each thread draws
// ahead.
uint64_t random_bits(unsigned bits) {
    thread_local std::string drawn;
    thread_local size_t used = 0;
    uint64_t value = 0;
    if (used + sizeof value > drawn.size()) {
        drawn = random_bytes(1024);
        used = 0;
    }
    std::memcpy(&value, drawn.data() + used, sizeof value);
    used += sizeof value;
    return value >> (64 - bits);
}

std::string uuid_text(uint64_t high, uint64_t low) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    out.reserve(36);
    for (int i = 0; i < 32; ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
        const uint64_t half = i < 16 ? high : low;
        out += digits[half >> (60 - 4 * (i % 16)) & 15];
    }
    return out;
}

}  // namespace

std::string Ids::uuid() {
    TimeMs at = 0;
    uint32_t counter = 0;
    {
        std::lock_guard lock(mutex_);
        const TimeMs now = clock_.now_ms();
        if (now > uuid_ms_) {
            uuid_ms_ = now;
            // Starts low in its range, so that a busy millisecond has room to count up.
            uuid_counter_ = static_cast<uint32_t>(random_bits(25));
        } else if (++uuid_counter_ == uuid_counters) {
            ++uuid_ms_;
            uuid_counter_ = 0;
        }
        at = uuid_ms_;
        counter = uuid_counter_;
    }
    const uint64_t high = static_cast<uint64_t>(at) << 16 | 0x7000u | counter >> 14;
    const uint64_t low =
        0x8000'0000'0000'0000u | static_cast<uint64_t>(counter & 0x3fffu) << 48 | random_bits(48);
    return uuid_text(high, low);
}

int64_t Ids::machine_id() {
    std::lock_guard lock(mutex_);
    const TimeMs now = clock_.now_ms() - epoch_2025;
    if (now > machine_ms_) {
        machine_ms_ = now;
        machine_counter_ = 0;
    } else if (++machine_counter_ == machine_counters) {
        ++machine_ms_;  // Runs ahead of the clock rather than wait for it.
        machine_counter_ = 0;
    }
    return machine_ms_ << 22 | static_cast<int64_t>(node_) << 14 | machine_counter_;
}

int64_t Ids::lowest_at(TimeMs at) {
    // What lies beyond the last id there can be (the year 2094) is that id's moment.
    return std::clamp<TimeMs>(at - epoch_2025, 0, INT64_MAX >> 22) << 22;
}

}  // namespace patchbay
