#include "checker/elf_image.hpp"

#include <link.h>

#include <filesystem>
#include <patchbay/errors.hpp>

#include "plugins/elf_file.hpp"

namespace patchbay::checker {
namespace {

// The table of texts that a section refers to.
std::string_view texts_of(const ElfFile& file, const Elf64_Shdr& section) {
    if (section.sh_link >= file.sections().size())
        throw Error(ErrorKind::refused, "the ELF sections are damaged");
    return file.content(file.sections()[section.sh_link]);
}

void add_symbol(ElfImage& image, const Elf64_Sym& symbol, std::string_view name) {
    const unsigned binding = ELF64_ST_BIND(symbol.st_info);
    const unsigned visibility = ELF64_ST_VISIBILITY(symbol.st_other);
    if (name.empty() || binding == STB_LOCAL) return;
    if (symbol.st_shndx == SHN_UNDEF) {
        if (binding != STB_WEAK) image.imports.emplace_back(name);
    } else if (binding == STB_GNU_UNIQUE) {
        image.unique.emplace_back(name);
    } else if (visibility == STV_DEFAULT || visibility == STV_PROTECTED) {
        image.exports.emplace_back(name);
    }
}

void read_symbols(const ElfFile& file, ElfImage& image) {
    const auto section = file.find_section(SHT_DYNSYM);
    if (!section) return;
    const std::string_view names = texts_of(file, *section);
    const std::string_view content = file.content(*section);
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= content.size(); at += sizeof(Elf64_Sym)) {
        const auto symbol = file.at<Elf64_Sym>(section->sh_offset + at);
        add_symbol(image, symbol, elf_text(names, symbol.st_name));
    }
}

void add_paths(ElfImage& image, std::string_view paths) {
    for (size_t begin = 0; begin <= paths.size();) {
        const size_t end = std::min(paths.find(':', begin), paths.size());
        image.run_paths.emplace_back(paths.substr(begin, end - begin));
        begin = end + 1;
    }
}

void add_entry(ElfImage& image, const Elf64_Dyn& entry, std::string_view texts) {
    const uint64_t value = entry.d_un.d_val;
    switch (entry.d_tag) {
        case DT_NEEDED:
            image.needed.emplace_back(elf_text(texts, value));
            break;
        case DT_SONAME:
            image.soname = elf_text(texts, value);
            break;
        case DT_RPATH:
        case DT_RUNPATH:
            add_paths(image, elf_text(texts, value));
            break;
        case DT_TEXTREL:
            image.has_text_relocations = true;
            break;
        case DT_BIND_NOW:
            image.binds_now = true;
            break;
        case DT_FLAGS:
            image.has_text_relocations |= (value & DF_TEXTREL) != 0;
            image.binds_now |= (value & DF_BIND_NOW) != 0;
            break;
        case DT_FLAGS_1:
            image.is_pinned |= (value & DF_1_NODELETE) != 0;
            image.binds_now |= (value & DF_1_NOW) != 0;
            break;
    }
}

void read_dynamic(const ElfFile& file, ElfImage& image) {
    const auto section = file.find_section(SHT_DYNAMIC);
    if (!section) throw Error(ErrorKind::refused, "the library has no dynamic section");
    const std::string_view texts = texts_of(file, *section);
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= section->sh_size; at += sizeof(Elf64_Dyn)) {
        const auto entry = file.at<Elf64_Dyn>(section->sh_offset + at);
        if (entry.d_tag == DT_NULL) break;
        add_entry(image, entry, texts);
    }
}

}  // namespace

ElfImage read_elf_image(std::string_view bytes) {
    const ElfFile file(bytes);
    ElfImage image;
    read_symbols(file, image);
    read_dynamic(file, image);
    return image;
}

std::vector<std::string> loaded_libraries() {
    std::vector<std::string> names;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* into) {
            // Debian's files have the name that libraries are asked for by.
            std::string name = std::filesystem::path(info->dlpi_name).filename();
            if (!name.empty()) static_cast<std::vector<std::string>*>(into)->push_back(name);
            return 0;
        },
        &names);
    return names;
}

}  // namespace patchbay::checker
