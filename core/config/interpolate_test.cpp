#include "config/interpolate.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
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
    std::string text(const std::string& in) { return interpolate(in, folder_).text; }
    std::string problem(const std::string& in) { return interpolate(in, folder_).problem; }
    std::string shown(const std::string& in) { return interpolate(in, folder_).shown; }
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
    EXPECT_EQ(interpolate("${file:none.key}", folder_).missing_file, folder_ / "none.key");
    EXPECT_EQ(
        problem("${secret:x}"),
        "unknown source \"${secret:x}\"; use ${env:NAME}, ${env:NAME:-default} or ${file:path}");
    const std::string single = "a single $; write $$ for the character, ${env:NAME} for a variable";
    EXPECT_EQ(problem("5$"), single);
    EXPECT_EQ(problem("$HOME"), single);
    EXPECT_EQ(problem("${env:X"), single);
}

TEST_F(Interpolate, SaysWhereInTheTextTheMistakeIs) {
    EXPECT_EQ(
        interpolate("${env:PATCHBAY_TEST_NAME}/${env:PATCHBAY_TEST_NONE}", folder_).problem_offset,
        26u);
    EXPECT_EQ(interpolate("costs 5$", folder_).problem_offset, 7u);
}

TEST_F(Interpolate, RefusesSecretFilesThatAreNotPrivateFilesS80) {
    write("open.key", "hush", public_mode);
    EXPECT_EQ(problem("${file:open.key}"),
              "file open.key can be read by everybody; chmod it to 0600");
    write("long.key", std::string(65'537, 'x'), private_mode);
    EXPECT_EQ(problem("${file:long.key}"), "file long.key is larger than 64 KiB");
    write("raw.key", std::string("a\0b", 3), private_mode);
    EXPECT_EQ(problem("${file:raw.key}"), "file raw.key is no text: it has a zero byte");
    EXPECT_EQ(problem("${file:.}"), "file . is a folder");
    ASSERT_EQ(mkfifo((folder_ / "pipe").c_str(), 0600), 0);
    EXPECT_EQ(problem("${file:pipe}"), "file pipe is no ordinary file") << "and does not wait";
}

TEST_F(Interpolate, BoundsWhatIsPutTogether) {
    write("key", std::string(60'000, 'x'), private_mode);
    EXPECT_EQ(problem("${file:key}"), "");
    EXPECT_EQ(problem("${file:key}${file:key}"), "is larger than 64 KiB with what was put in");
}

TEST_F(Interpolate, KnowsWhatToHideInTheMiddleOfATextS80) {
    write("key", "hush", private_mode);
    setenv("PATCHBAY_TEST_TOKEN", "whisper", 1);
    setenv("PATCHBAY_TEST_MAKE_KEY", "psst", 1);
    EXPECT_EQ(shown("https://${file:key}@x/${env:PATCHBAY_TEST_TOKEN}"), "https://***@x/***");
    EXPECT_EQ(shown("${env:PATCHBAY_TEST_MAKE_KEY}"), "***");
    EXPECT_EQ(shown("https://${env:PATCHBAY_TEST_NAME}/"), "https://value/");
    EXPECT_EQ(shown("${env:PATCHBAY_TEST_NO_TOKEN:-none}"), "none") << "it stands in the file";
    const auto secrets = interpolate("${file:key} ${env:PATCHBAY_TEST_TOKEN}", folder_).secrets;
    EXPECT_EQ(secrets, (std::vector<std::string>{"hush", "whisper"}));
}

}  // namespace patchbay
