#include "plugins/plugin_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <patchbay/abi.h>
#include <cstring>
#include <patchbay/errors.hpp>
#include <sstream>

#include "plugins/elf_file.hpp"

namespace patchbay {
namespace {

constexpr size_t max_file_bytes = 512u << 20;

[[noreturn]] void refuse(const std::string& reason) { throw Error(ErrorKind::refused, reason); }

template <size_t size>
std::string text_of(const char (&field)[size]) {
    const void* end = std::memchr(field, 0, size);
    if (!end) refuse("the stamp is damaged");
    return {field, static_cast<const char*>(end)};
}

std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) words.push_back(word);
    return words;
}

// An open descriptor, closed at the end.
class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int number() const { return number_; }

private:
    int number_;
};

}  // namespace

std::string PluginStamp::sdk() const {
    return std::to_string(sdk_version >> 16) + "." + std::to_string(sdk_version >> 8 & 255) + "." +
           std::to_string(sdk_version & 255);
}

PluginStamp read_stamp(std::string_view file) {
    const ElfFile elf(file);
    const auto place = elf.find_section(SHT_PROGBITS, ".patchbay");
    if (!place) refuse("the library is not a Patchbay plugin (no stamp)");
    const std::string_view section = elf.content(*place);
    if (section.size() < sizeof(pb_stamp)) refuse("the stamp is damaged");
    pb_stamp raw;
    std::memcpy(&raw, section.data(), sizeof raw);
    if (std::string_view(raw.magic, sizeof raw.magic) != PB_STAMP_MAGIC ||
        raw.struct_size < sizeof raw)
        refuse("the stamp is damaged");
    return {text_of(raw.name),
            text_of(raw.version),
            text_of(raw.toolchain),
            words_of(text_of(raw.provides)),
            words_of(text_of(raw.needs)),
            raw.abi_major,
            raw.abi_minor,
            raw.sdk_version,
            raw.flags};
}

void check_stamp(const PluginStamp& stamp, const std::string& expected_name) {
    if (stamp.abi_major != PB_ABI_MAJOR)
        refuse("the plugin was built for plugin interface " + std::to_string(stamp.abi_major) +
               ", this hub has " + std::to_string(PB_ABI_MAJOR) +
               ": build it again with this hub's SDK");
    if (stamp.name != expected_name)
        refuse("the file says that it is \"" + stamp.name + "\", not \"" + expected_name + "\"");
    if (stamp.version.empty()) refuse("the stamp has no version");
}

bool is_plugin_name(std::string_view name) {
    if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
           std::string_view::npos;
}

// The checks and the reading are on one descriptor: what is checked is what is loaded.
std::string read_plugin_file(const std::filesystem::path& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status {};
    if (file.number() < 0 || ::fstat(file.number(), &status) != 0)
        refuse(path.filename().string() + " cannot be read");
    if (!S_ISREG(status.st_mode)) refuse(path.filename().string() + " is not a file");
    if (status.st_mode & (S_ISUID | S_ISGID))
        refuse(path.filename().string() + " is setuid or setgid");
    if (status.st_mode & S_IWOTH) refuse(path.filename().string() + " may be written by anybody");
    if (status.st_uid != 0 && status.st_uid != ::geteuid())
        refuse(path.filename().string() + " belongs to another user");
    if (static_cast<uint64_t>(status.st_size) > max_file_bytes)
        refuse(path.filename().string() + " is too large");
    std::string content(static_cast<size_t>(status.st_size), '\0');
    for (size_t done = 0; done < content.size();) {
        const ssize_t count = ::read(file.number(), content.data() + done, content.size() - done);
        if (count <= 0) refuse(path.filename().string() + " changed while it was read");
        done += static_cast<size_t>(count);
    }
    return content;
}

PluginFile find_plugin(const std::vector<std::filesystem::path>& folders, const std::string& name) {
    if (!is_plugin_name(name))
        refuse("\"" + name + "\" is not the name of a plugin: a-z, 0-9 and _");
    for (const auto& folder : folders) {
        const auto path = folder / (name + ".so");
        if (!std::filesystem::exists(path)) continue;
        const auto real = std::filesystem::canonical(path);
        if (real.parent_path() != std::filesystem::canonical(folder))
            refuse(name + ".so is a link out of its folder");
        PluginFile file{real, read_plugin_file(real), {}};
        file.stamp = read_stamp(file.content);
        return file;
    }
    refuse("there is no " + name + ".so in the plugin folders");
}

}  // namespace patchbay
