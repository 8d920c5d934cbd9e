// What the dynamic loader will do with a library, read from its file.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::checker {

struct ElfImage {
    std::vector<std::string> exports;  ///< Without those that are UNIQUE.
    std::vector<std::string> unique;   ///< Exported with STB_GNU_UNIQUE.
    std::vector<std::string> imports;  ///< What it cannot do without; no weak ones.
    std::vector<std::string> needed;   ///< SONAMEs
    std::string soname;
    std::vector<std::string> run_paths;  ///< Each folder of RPATH and RUNPATH.
    bool is_pinned = false, has_text_relocations = false, binds_now = false;
};

/// Throws Error(refused) where the file is damaged.
ElfImage read_elf_image(std::string_view file);

/// SONAMEs of what is loaded into this process.
std::vector<std::string> loaded_libraries();

}  // namespace patchbay::checker
