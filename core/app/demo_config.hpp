// The development configuration, kept in the program so that `patchbay demo` runs anywhere.
#pragma once

namespace patchbay {

extern const char* const development_config;

}  // namespace patchbay
