#include "echo.hpp"

namespace patchbay::echo {
PATCHBAY_PLUGIN(echo, "1.0.0", Echo, read_config)
}  // namespace patchbay::echo
