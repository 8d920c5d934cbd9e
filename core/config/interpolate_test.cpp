#include "config/interpolate.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace patchbay {
namespace {

class Interpolate : public testing::Test {
protected:
    Interpolate() {
        folder_ = std::filesystem::temp_directory_path() /
                  ("patchbay_interpolate_" + std::to_string(getpid()));
        std::filesystem::create_directories(folder_);
        setenv("PATCHBAY_TEST_NAME", "value", 1);
        setenv("PATCHBAY_TEST_EMPTY", "", 1);
        unsetenv("PATCHBAY_TEST_NONE");
    }
    ~Interpolate() override { std::filesystem::remove_all(folder_); }
    void write(const std::string& name, const std::string& text, std::filesystem::perms mode) {
        std::ofstream(folder_ / name) << text;
        std::filesystem::permissions(folder_ / name, mode);
    }
    std::string text(const std::string& in) { return interpolate(in, folder_, false).text; }
    std::string problem(const std::string& in, bool production = false) {
        return interpolate(in, folder_, production).problem;
    }
    std::filesystem::path folder_;
};

constexpr auto private_mode = std::filesystem::perms{0600};
constexpr auto public_mode = std::filesystem::perms{0644};

}  // namespace

TEST_F(Interpolate, PutsVariablesAndFilesInTheirPlace) {
    write("key", "hush\n", private_mode);
    EXPECT_EQ(text("a ${env:PATCHBAY_TEST_NAME} b"), "a value b");
    EXPECT_EQ(text("${env:PATCHBAY_TEST_NAME:-other}"), "value");
    EXPECT_EQ(text("${env:PATCHBAY_TEST_NONE:-http://localhost:4200}"), "http://localhost:4200");
    EXPECT_EQ(text("${env:PATCHBAY_TEST_EMPTY:-other}"), "other");
    EXPECT_EQ(text("${env:PATCHBAY_TEST_EMPTY}"), "");
    EXPECT_EQ(text("${file:key}!"), "hush!");
    EXPECT_EQ(text("costs 5$$ or ${env:PATCHBAY_TEST_NAME}$$"), "costs 5$ or value$");
}

TEST_F(Interpolate, NamesWhatIsMissing) {
    EXPECT_EQ(problem("${env:PATCHBAY_TEST_NONE}"),
              "environment variable PATCHBAY_TEST_NONE is not set");
    EXPECT_EQ(problem("${file:none.key}"), "file none.key does not exist");
    EXPECT_EQ(interpolate("${file:none.key}", folder_, false).missing_file, folder_ / "none.key");
    EXPECT_EQ(
        problem("${secret:x}"),
        "unknown source \"${secret:x}\"; use ${env:NAME}, ${env:NAME:-default} or ${file:path}");
    const std::string single = "a single $; write $$ for the character, ${env:NAME} for a variable";
    EXPECT_EQ(problem("5$"), single);
    EXPECT_EQ(problem("$HOME"), single);
    EXPECT_EQ(problem("${env:X"), single);
}

TEST_F(Interpolate, RefusesReadableSecretFilesInProductionS80) {
    write("open.key", "hush", public_mode);
    EXPECT_EQ(problem("${file:open.key}", true),
              "file open.key can be read by everybody; chmod it to 0600");
    EXPECT_EQ(problem("${file:open.key}", false), "");
}

}  // namespace patchbay
