#include "base/failpoint.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace patchbay {
namespace {

constexpr int killed = 137;  // What a shell shows for kill -9.

std::vector<const Failpoint*>& registry() {
    static std::vector<const Failpoint*> all;
    return all;
}

}  // namespace

Failpoint::Failpoint(const char* name) : name_(name) { registry().push_back(this); }

void Failpoint::count_down() const {
    if (left_.fetch_sub(1) == 1) _exit(killed);
}

const std::vector<const Failpoint*>& Failpoint::all() { return registry(); }

void Failpoint::arm(std::string_view spec) {
    const size_t colon = spec.rfind(':');
    int count = 0;
    if (colon != std::string_view::npos) {
        const std::string_view digits = spec.substr(colon + 1);
        const char* end = digits.data() + digits.size();
        if (std::from_chars(digits.data(), end, count).ptr != end) count = 0;
    }
    if (count < 1) {
        throw std::invalid_argument("failpoint \"" + std::string(spec) +
                                    "\": expected name:n with n from 1");
    }
    for (const Failpoint* point : registry()) {
        if (point->name() == spec.substr(0, colon)) {
            point->left_ = count;
            return;
        }
    }
    throw std::invalid_argument("unknown failpoint \"" + std::string(spec.substr(0, colon)) + "\"");
}

void Failpoint::arm_from_environment() {
    const char* spec = std::getenv("PATCHBAY_FAILPOINT");
    if (spec && *spec) arm(spec);
}

}  // namespace patchbay
