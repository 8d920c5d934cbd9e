#include "base/trace.hpp"

#include <random>

namespace patchbay {
namespace {

// version "-" trace id "-" parent id "-" flags
constexpr size_t id_at = 3, id_size = 32, parent_at = 36, parent_size = 16, flags_at = 53,
                 whole_size = 55;

bool is_lower_hex(std::string_view text) {
    return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool is_zero(std::string_view text) {
    return text.find_first_not_of('0') == std::string_view::npos;
}

void append_random(std::string& out, size_t digits) {
    // Ids have to differ, not to be secret; random_device would cost a system call for each.
    thread_local std::mt19937_64 engine = [] {
        std::random_device device;
        std::seed_seq seed{device(), device(), device(), device(), device(), device()};
        return std::mt19937_64{seed};
    }();
    for (size_t i = 0; i < digits;) {
        uint64_t bits = engine();
        for (int n = 0; n < 16 && i < digits; ++n, ++i, bits >>= 4)
            out += "0123456789abcdef"[bits & 15];
    }
}

// All zeros is the one value that is none.
std::string random_id(size_t digits) {
    std::string id;
    do {
        id.clear();
        append_random(id, digits);
    } while (is_zero(id));
    return id;
}

}  // namespace

std::string accepted_traceparent(std::string_view header) {
    if (header.size() < whole_size) return {};
    const std::string_view version = header.substr(0, 2);
    if (!is_lower_hex(version) || version == "ff") return {};
    // A later version may have more behind a dash; of it we know only what 00 has.
    if (header.size() > whole_size && (version == "00" || header[whole_size] != '-')) return {};
    const std::string_view id = header.substr(id_at, id_size),
                           parent = header.substr(parent_at, parent_size),
                           flags = header.substr(flags_at, 2);
    if (header[2] != '-' || header[parent_at - 1] != '-' || header[flags_at - 1] != '-') return {};
    if (!is_lower_hex(id) || !is_lower_hex(parent) || !is_lower_hex(flags)) return {};
    if (is_zero(id) || is_zero(parent)) return {};
    std::string own = "00";
    own += header.substr(2, flags_at - 2);
    // Of the flags only "sampled" is known in version 00.
    own += '0';
    own += std::string_view("13579bdf").find(flags[1]) == std::string_view::npos ? '0' : '1';
    return own;
}

std::string new_traceparent() {
    return "00-" + random_id(id_size) + '-' + random_id(parent_size) + "-01";
}

std::string child_traceparent(std::string_view traceparent) {
    const std::string parent = accepted_traceparent(traceparent);
    if (parent.empty()) return new_traceparent();
    return parent.substr(0, parent_at) + random_id(parent_size) + parent.substr(flags_at - 1);
}

std::string_view trace_id(std::string_view traceparent) {
    if (traceparent.size() < whole_size || traceparent[2] != '-') return {};
    const std::string_view id = traceparent.substr(id_at, id_size);
    return is_lower_hex(id) ? id : std::string_view{};
}

}  // namespace patchbay
