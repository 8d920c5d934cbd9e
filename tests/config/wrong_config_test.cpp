// Each file of wrong/: the command line says what stands beside it, and nothing else.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "app/command_line.hpp"

namespace patchbay {
namespace {

namespace fs = std::filesystem;

const fs::path corpus = fs::path(PATCHBAY_SOURCE_DIR) / "tests/config/wrong";
constexpr size_t fewest_files = 100;

const char* const classes[] = {"unknown_key", "wrong_type", "missing",         "duplicate",
                               "range",       "duration",   "address",         "url",
                               "alias",       "octal",      "second_document", "unquoted",
                               "same_path",   "rule",       "unknown_plugin",  "secret_file",
                               "department",  "tab",        "unset_variable",  "indentation"};

std::string text_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(corpus)) {
        if (entry.path().extension() == ".yaml") all.push_back(entry.path().stem());
    }
    std::sort(all.begin(), all.end());
    return all;
}

/// A folder as README.md describes it; the process works in it.
class WrongConfig : public testing::TestWithParam<std::string> {
protected:
    static void SetUpTestSuite() {
        std::string name = testing::TempDir() + "patchbay_wrong_XXXXXX";
        folder() = fs::path(mkdtemp(name.data()));
        fs::create_directory(folder() / "folder");
        fs::create_directory(folder() / "plugins");
        for (const char* plugin : {"auto_reply.so", "sandbox.so", "twilio_sms.so"}) {
            fs::copy(fs::path(PATCHBAY_BINARY_DIR) / "plugins" / plugin, folder() / "plugins");
        }
        write("private.key", "0123456789abcdef0123456789abcdef\n", 0600);
        write("open.key", "0123456789abcdef0123456789abcdef\n", 0644);
        write("empty.key", "", 0600);
        write("long.key", std::string(70'000, 'x'), 0600);
        write("raw.key", std::string("0123456789abcdef\0fedcba9876543210", 33), 0600);
        ASSERT_EQ(mkfifo((folder() / "pipe").c_str(), 0600), 0);
        setenv("HUB_TOKEN", "b7e23ec29af22b0b", 1);
        setenv("HUB_EMPTY", "", 1);
        unsetenv("HUB_NONE");
        fs::current_path(folder());
    }
    static void TearDownTestSuite() {
        fs::current_path("/");
        fs::remove_all(folder());
    }

    struct Finished {
        int code = 0;
        std::string out, err;
    };
    static Finished validate(const std::string& name, std::vector<std::string> more = {}) {
        const std::string file = name + ".yaml";
        fs::copy_file(corpus / file, folder() / file, fs::copy_options::overwrite_existing);
        std::vector<std::string> words = {"patchbay", "config", "validate", "-c", file};
        words.insert(words.end(), more.begin(), more.end());
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        std::istringstream in;
        std::ostringstream out, err;
        const int code =
            run_command_line(static_cast<int>(arguments.size()), arguments.data(), {in, out, err});
        return {code, out.str(), err.str()};
    }

private:
    static fs::path& folder() {
        static fs::path path;
        return path;
    }
    static void write(const std::string& name, const std::string& text, mode_t mode) {
        std::ofstream(folder() / name) << text;
        chmod((folder() / name).c_str(), mode);
    }
};

TEST_P(WrongConfig, IsToldAsItsExpectedFileSays) {
    const Finished checked = validate(GetParam());
    EXPECT_EQ(checked.err, text_of(corpus / (GetParam() + ".expected")));
    EXPECT_EQ(checked.out, "");
    EXPECT_EQ(checked.code, 1);
}

TEST_P(WrongConfig, IsShownWithItsLineAndWithoutItsSecretsS82) {
    const Finished shown = validate(GetParam(), {"--context", "always"});
    std::istringstream lines(shown.err);
    size_t problems = 0, marks = 0;
    for (std::string line; std::getline(lines, line);) {
        problems += line.starts_with(GetParam());
        const size_t mark = line.find_first_not_of(" |");
        marks += mark != std::string::npos && line.substr(mark) == "^" && line.find('|') < mark;
    }
    EXPECT_GE(problems, 1u);
    EXPECT_EQ(marks, problems) << shown.err;
    // The secrets that stand in files of this corpus.
    for (const char* secret : {"b7e23ec29af22b0b", "1234567890\n", "01234567\n", "pa55word"}) {
        EXPECT_EQ(shown.err.find(secret), std::string::npos) << shown.err;
    }
}

TEST_P(WrongConfig, HasACodeThatTheDocumentationExplains) {
    static const std::string page =
        text_of(fs::path(PATCHBAY_SOURCE_DIR) / "docs/configuration_mistakes.md");
    const std::string json = validate(GetParam(), {"--output", "json"}).out;
    const std::string mark = "\"code\": \"";
    size_t codes = 0;
    for (size_t at = json.find(mark); at != std::string::npos; at = json.find(mark, at + 1)) {
        const size_t begin = at + mark.size();
        const std::string code = json.substr(begin, json.find('"', begin) - begin);
        EXPECT_NE(page.find("| `" + code + "` |"), std::string::npos) << code;
        ++codes;
    }
    EXPECT_GE(codes, 1u) << json;
}

INSTANTIATE_TEST_SUITE_P(Corpus, WrongConfig, testing::ValuesIn(names()),
                         [](const auto& one) { return one.param; });

TEST(WrongConfigs, AreAtLeastAHundredAndOfEveryClass) {
    const auto all = names();
    EXPECT_GE(all.size(), fewest_files);
    for (const std::string name : classes) {
        const auto count = std::count_if(all.begin(), all.end(), [&](const std::string& one) {
            return one == name || one.starts_with(name + "_");
        });
        EXPECT_GE(count, 4) << name;
    }
}

TEST(WrongConfigs, HaveTheirTextsBesideThem) {
    const auto all = names();
    const std::set<std::string> files(all.begin(), all.end());
    size_t texts = 0;
    for (const auto& entry : fs::directory_iterator(corpus)) {
        if (entry.path().extension() != ".expected") continue;
        ++texts;
        EXPECT_TRUE(files.contains(entry.path().stem())) << entry.path().filename();
    }
    EXPECT_EQ(texts, files.size());
}

}  // namespace
}  // namespace patchbay
