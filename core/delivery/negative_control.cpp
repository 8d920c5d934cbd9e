#include "delivery/negative_control.hpp"

#include <stdexcept>
#include <string>

namespace patchbay {
namespace {

NegativeControl armed = NegativeControl::none;

}  // namespace

void arm_negative_control(std::string_view word, bool production) {
    if (word.empty()) return;
    if (production) {
        throw std::invalid_argument("PATCHBAY_NEGATIVE_CONTROL is for tests: unset it");
    }
    if (word == "no_unknown") {
        armed = NegativeControl::no_unknown;
    } else if (word == "no_lanes") {
        armed = NegativeControl::no_lanes;
    } else {
        throw std::invalid_argument(
            "PATCHBAY_NEGATIVE_CONTROL: expected no_unknown or no_lanes, found \"" +
            std::string{word} + "\"");
    }
}

bool is_switched_off(NegativeControl protection) { return armed == protection; }

}  // namespace patchbay
