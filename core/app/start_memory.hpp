// What only the start needed, given back.
#pragma once

namespace patchbay {

/// After the start, once. Reading a configuration, linking 60 libraries and loading plugins touches
/// code and memory that a hub at work never looks at again; it goes back to the system, and comes
/// back by itself where it is needed after all.
void give_back_start_memory();

}  // namespace patchbay
