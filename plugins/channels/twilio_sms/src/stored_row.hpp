// A small value in the hub's key-value store that several threads, and two generations of this
// plugin, may change at once.
#pragma once
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>

namespace patchbay::twilio_sms {

/// As new when there is none.
template <class Row>
Row read_row(const Host& host, const std::string& key) {
    Row row{};
    if (const auto stored = host.find(key)) {
        wire::unpack(stored->value, wire::Text::trusted, row);
    }
    return row;
}

/// `change(row)` says whether the row is to be stored, and may be asked again when somebody else
/// was faster: of two changes that saw the same row only one is stored. Answers the row as it is
/// then.
template <class Row, class Change>
Row change_row(const Host& host, const std::string& key, milliseconds ttl, Change change) {
    // Each round one of those who wait gets through.
    constexpr int rounds = 64;
    for (int round = 0; round < rounds; ++round) {
        const auto stored = host.find(key);
        Row row{};
        if (stored) wire::unpack(stored->value, wire::Text::trusted, row);
        if (!change(row)) return row;
        try {
            host.store(key, wire::pack(row), ttl, stored ? stored->version : 0);
            return row;
        } catch (const Error& error) {
            if (error.kind != ErrorKind::conflict) throw;
        }
    }
    throw Error(ErrorKind::unavailable, "a row changes too often");
}

}  // namespace patchbay::twilio_sms
