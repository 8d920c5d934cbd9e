// Switches one protection off, so that the fault tests can show that they would notice: without
// `unknown` a kill sends twice, without lanes messages overtake each other. A test's tool; never on
// in mode production.
#pragma once
#include <string_view>

namespace patchbay {

enum class NegativeControl { none, no_unknown, no_lanes };

/// What PATCHBAY_NEGATIVE_CONTROL says; read once. [before delivery starts] Throws
/// std::invalid_argument for an unknown word, and for any in production.
void arm_negative_control(std::string_view word, bool production);
bool is_switched_off(NegativeControl protection);

}  // namespace patchbay
