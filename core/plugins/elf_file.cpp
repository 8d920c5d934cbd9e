#include "plugins/elf_file.hpp"

#include <limits>
#include <patchbay/errors.hpp>

namespace patchbay {
namespace {

#if defined(__x86_64__)
constexpr uint16_t this_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint16_t this_machine = EM_AARCH64;
#else
#error "name the ELF machine of this processor here"
#endif

[[noreturn]] void refuse(const char* reason) { throw Error(ErrorKind::refused, reason); }

void check_header(const Elf64_Ehdr& header) {
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
        header.e_machine != this_machine)
        refuse("the library was built for another processor");
    if (header.e_type != ET_DYN) refuse("the file is a program or an object, not a shared library");
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_shentsize != sizeof(Elf64_Shdr))
        refuse("the ELF header is damaged");
}

}  // namespace

ElfFile::ElfFile(std::string_view bytes) : bytes_(bytes) {
    if (!bytes.starts_with(std::string_view(ELFMAG, SELFMAG)))
        refuse("the file is not a library (no ELF header)");
    const auto header = at<Elf64_Ehdr>(0);
    check_header(header);
    check_segments(header);
    read_sections(header);
}

std::string_view ElfFile::part(uint64_t offset, uint64_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset) refuse("the file is cut short");
    return bytes_.substr(offset, size);
}

// The loader maps segments without looking at the file's length: touching a page that is not there
// would end the process.
void ElfFile::check_segments(const Elf64_Ehdr& header) const {
    for (uint64_t i = 0; i < header.e_phnum; ++i) {
        const auto segment = at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
        if (segment.p_type == PT_LOAD) part(segment.p_offset, segment.p_filesz);
    }
}

void ElfFile::read_sections(const Elf64_Ehdr& header) {
    if (header.e_shoff > std::numeric_limits<uint64_t>::max() / 2)
        refuse("the ELF header is damaged");
    if (header.e_shnum == 0 || header.e_shstrndx >= header.e_shnum)
        refuse("the library has no table of sections");
    // The last thing in a file: where a byte of it is missing, more may be.
    part(header.e_shoff, uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
    for (uint64_t i = 0; i < header.e_shnum; ++i)
        sections_.push_back(at<Elf64_Shdr>(header.e_shoff + i * sizeof(Elf64_Shdr)));
    names_ = content(sections_[header.e_shstrndx]);
}

std::optional<Elf64_Shdr> ElfFile::find_section(uint32_t type, std::string_view name) const {
    for (const Elf64_Shdr& one : sections_)
        if (one.sh_type == type && (name.empty() || elf_text(names_, one.sh_name) == name))
            return one;
    return std::nullopt;
}

std::string_view elf_text(std::string_view table, uint64_t at) {
    if (at >= table.size()) return {};
    const std::string_view rest = table.substr(at);
    return rest.substr(0, rest.find('\0'));
}

}  // namespace patchbay
