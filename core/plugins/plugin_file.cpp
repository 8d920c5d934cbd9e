#include "plugins/plugin_file.hpp"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <patchbay/abi.h>
#include <cstring>
#include <limits>
#include <patchbay/errors.hpp>
#include <sstream>

namespace patchbay {
namespace {

#if defined(__x86_64__)
constexpr uint16_t this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t this_machine = EM_AARCH64;
#else
#error "name the ELF machine of this processor here"
#endif

constexpr size_t max_file_bytes = 512u << 20;

[[noreturn]] void refuse(const std::string& reason) { throw Error(ErrorKind::refused, reason); }

// Nothing is read from a file but through this.
class Bytes {
public:
    explicit Bytes(std::string_view file) : file_(file) {}

    std::string_view part(uint64_t offset, uint64_t size) const {
        if (offset > file_.size() || size > file_.size() - offset) refuse("the file is cut short");
        return file_.substr(offset, size);
    }
    template <class T>
    T at(uint64_t offset) const {
        T value;
        std::memcpy(&value, part(offset, sizeof(T)).data(), sizeof(T));
        return value;
    }

private:
    std::string_view file_;
};

Elf64_Ehdr read_header(std::string_view file) {
    if (!file.starts_with(std::string_view(ELFMAG, SELFMAG)))
        refuse("the file is not a library (no ELF header)");
    const auto header = Bytes(file).at<Elf64_Ehdr>(0);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != this_machine)
        refuse("the library was built for another processor");
    if (header.e_type != ET_DYN) refuse("the file is a program or an object, not a shared library");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_shentsize != sizeof(Elf64_Shdr))
        refuse("the ELF header is damaged");
    return header;
}

// The loader maps segments without looking at the file's length: touching a page that is not there
// would end the process.
void check_segments(const Bytes& bytes, const Elf64_Ehdr& header) {
    for (uint64_t i = 0; i < header.e_phnum; ++i) {
        const auto segment = bytes.at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
        if (segment.p_type == PT_LOAD) bytes.part(segment.p_offset, segment.p_filesz);
    }
}

std::string_view find_section(const Bytes& bytes, const Elf64_Ehdr& header, std::string_view name) {
    const auto section = [&](uint64_t i) {
        return bytes.at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr));
    };
    if (header.e_shoff > std::numeric_limits<uint64_t>::max() / 2)
        refuse("the ELF header is damaged");
    if (header.e_shnum == 0 || header.e_shstrndx >= header.e_shnum)
        refuse("the library has no table of sections");
    // The last thing in a file: where a byte of it is missing, more may be.
    bytes.part(header.e_shoff, uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
    const Elf64_Shdr texts = section(header.e_shstrndx);
    const std::string_view names = bytes.part(texts.sh_offset, texts.sh_size);
    for (uint64_t i = 0; i < header.e_shnum; ++i) {
        const Elf64_Shdr one = section(i);
        if (one.sh_type != SHT_PROGBITS || one.sh_name >= names.size()) continue;
        const std::string_view rest = names.substr(one.sh_name);
        if (rest.substr(0, rest.find('\0')) == name) return bytes.part(one.sh_offset, one.sh_size);
    }
    refuse("the library is not a Patchbay plugin (no stamp)");
}

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

bool is_plugin_name(std::string_view name) {
    if (name.empty() || name.size() > 63 || name[0] < 'a' || name[0] > 'z') return false;
    return name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
           std::string_view::npos;
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

// The checks and the reading are on one descriptor: what is checked is what is loaded.
std::string read_checked(const std::filesystem::path& path) {
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

}  // namespace

std::string PluginStamp::sdk() const {
    return std::to_string(sdk_version >> 16) + "." + std::to_string(sdk_version >> 8 & 255) + "." +
           std::to_string(sdk_version & 255);
}

PluginStamp read_stamp(std::string_view file) {
    const Elf64_Ehdr header = read_header(file);
    const Bytes bytes(file);
    check_segments(bytes, header);
    const std::string_view section = find_section(bytes, header, ".patchbay");
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

PluginFile find_plugin(const std::vector<std::filesystem::path>& folders, const std::string& name) {
    if (!is_plugin_name(name))
        refuse("\"" + name + "\" is not the name of a plugin: a-z, 0-9 and _");
    for (const auto& folder : folders) {
        const auto path = folder / (name + ".so");
        if (!std::filesystem::exists(path)) continue;
        const auto real = std::filesystem::canonical(path);
        if (real.parent_path() != std::filesystem::canonical(folder))
            refuse(name + ".so is a link out of its folder");
        PluginFile file{real, read_checked(real), {}};
        file.stamp = read_stamp(file.content);
        return file;
    }
    refuse("there is no " + name + ".so in the plugin folders");
}

}  // namespace patchbay
