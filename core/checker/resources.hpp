// What this process holds, to be compared before and after a piece of work.
#pragma once
#include <cstddef>
#include <set>
#include <string>

namespace patchbay::checker {

struct Resources {
    std::set<int> threads;              ///< ids
    std::set<std::string> descriptors;  ///< "7 /dev/null"
    size_t heap_bytes = 0;              ///< in use
};

Resources resources_now();

/// What `after` has and `before` had not, in words; empty when nothing was left. Heap is not looked
/// at. Threads that are about to end are waited for, for a second.
std::string left_behind(const Resources& before);

}  // namespace patchbay::checker
