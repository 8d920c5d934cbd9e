// A plugin's library file before any of its code runs: where it lies, whether it is one, what its
// stamp says.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

/// What a plugin says about itself in ELF section .patchbay.
struct PluginStamp {
    std::string name, version, toolchain;
    std::vector<std::string> provides, needs;
    uint16_t abi_major = 0, abi_minor = 0;
    uint32_t sdk_version = 0, flags = 0;

    std::string sdk() const;  ///< "0.1.0"
};

/// Reads the stamp out of the bytes of a file. Every offset is checked: the file may be anything.
/// Throws Error(refused) with a reason for people: not a library, for another machine, cut short,
/// no stamp.
PluginStamp read_stamp(std::string_view file);

/// Refuses a stamp this hub cannot serve: Error(refused) for another interface version or another
/// name.
void check_stamp(const PluginStamp& stamp, const std::string& expected_name);

struct PluginFile {
    std::filesystem::path path;
    std::string content;
    PluginStamp stamp;
};

/// a-z, 0-9 and _, a letter first, at most 63 bytes.
bool is_plugin_name(std::string_view name);

/// The bytes of a library. Throws Error(refused): no such file, no regular file, setuid, one that
/// others may write, somebody else's.
std::string read_plugin_file(const std::filesystem::path& path);

/// `<folder>/<name>.so` of the first folder that has it, read whole. Throws Error(refused): no such
/// file, a name that is no word, a link out of the folder, a file that others may write, setuid.
PluginFile find_plugin(const std::vector<std::filesystem::path>& folders, const std::string& name);

}  // namespace patchbay
