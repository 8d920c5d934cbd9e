#include "app/start_memory.hpp"

#include <malloc.h>
#include <sys/mman.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace patchbay {

// Code is the same in memory and in its file: pages that are dropped are read again from the
// system's cache. Only mappings of code are; read-only data may hold addresses that the linker
// wrote, which no file has.
void give_back_start_memory() {
    malloc_trim(0);
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        uintptr_t from = 0, to = 0;
        char dash = 0;
        std::string rights, offset, device;
        uint64_t inode = 0;
        std::istringstream fields(line);
        fields >> std::hex >> from >> dash >> to >> rights >> offset >> device >> std::dec >> inode;
        if (!fields || rights != "r-xp" || inode == 0) continue;
        ::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
    }
}

}  // namespace patchbay
