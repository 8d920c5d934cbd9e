#include "checker/elf_image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <patchbay/errors.hpp>

#include "checker/mutation.hpp"

namespace patchbay::checker {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::StartsWith;

std::string library(const std::string& fault) {
    std::ifstream file(std::string(PATCHBAY_PLANTED) + "/" + fault + "/planted.so",
                       std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ElfImage, SaysWhatALibraryExportsImportsAndNeeds) {
    const ElfImage image = read_elf_image(library("none"));
    EXPECT_THAT(image.exports, ElementsAre("patchbay_plugin_v1"));
    EXPECT_THAT(image.unique, ElementsAre());
    EXPECT_THAT(image.imports, Contains("open"));
    EXPECT_THAT(image.needed, Contains(StartsWith("libc.so")));
    EXPECT_TRUE(image.binds_now);
    EXPECT_FALSE(image.is_pinned || image.has_text_relocations);
    EXPECT_THAT(image.run_paths, ElementsAre());
}

TEST(ElfImage, KnowsWhatThisProcessHas) {
    EXPECT_THAT(loaded_libraries(), Contains(StartsWith("libPocoFoundation.so")));
}

TEST(ElfImage, RefusesADamagedFileAndBreaksOnNone) {
    const std::string whole = library("none");
    Mutator mutator(7);
    for (int i = 0; i < 3'000; ++i) {
        // Header, tables at the end and a few bytes anywhere: where the offsets are.
        std::string file = whole;
        const size_t at = i % 3 == 0 ? mutator.below(64) : mutator.below(file.size());
        const size_t place = i % 3 == 1 ? file.size() - 1 - mutator.below(2'000) : at;
        file[place] = static_cast<char>(mutator.below(256));
        if (i % 10 == 0) file.resize(mutator.below(file.size()));
        try {
            read_elf_image(file);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::refused) << error.what();
        }
    }
}

}  // namespace
}  // namespace patchbay::checker
