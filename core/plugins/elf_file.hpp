// A shared library's file as ELF says it is built, before any of its code runs. The file may be
// anything: every offset is checked.
#pragma once
#include <elf.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace patchbay {

class ElfFile {
public:
    /// Throws Error(refused) with a reason for people: not a library, for another machine, cut
    /// short. The bytes are borrowed.
    explicit ElfFile(std::string_view bytes);

    /// Throws Error(refused) where the file has no such bytes. Nothing is read but through this.
    std::string_view part(uint64_t offset, uint64_t size) const;
    template <class T>
    T at(uint64_t offset) const {
        T value;
        std::memcpy(&value, part(offset, sizeof(T)).data(), sizeof(T));
        return value;
    }

    const std::vector<Elf64_Shdr>& sections() const { return sections_; }
    std::string_view content(const Elf64_Shdr& section) const {
        return part(section.sh_offset, section.sh_size);
    }
    /// The first one of that type, with that name unless `name` is empty.
    std::optional<Elf64_Shdr> find_section(uint32_t type, std::string_view name = {}) const;

private:
    void check_segments(const Elf64_Ehdr& header) const;
    void read_sections(const Elf64_Ehdr& header);

    std::string_view bytes_;
    std::vector<Elf64_Shdr> sections_;
    std::string_view names_;
};

/// The text of a string table that begins there; empty outside of the table.
std::string_view elf_text(std::string_view table, uint64_t at);

}  // namespace patchbay
