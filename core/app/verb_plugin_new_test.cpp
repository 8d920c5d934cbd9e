#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/command_line.hpp"
#include "base/json.hpp"

namespace patchbay {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kinds[] = {"channel", "webhook", "flow", "subscriber", "app"};

struct Finished {
    int code = 0;
    std::string out, err;
};

class PluginNew : public testing::Test {
protected:
    ~PluginNew() override { fs::remove_all(scratch_); }

    Finished run(const std::string& name, const std::string& kind, const std::string& folder,
                 std::vector<std::string> more = {}) {
        std::vector<std::string> arguments{"patchbay", "plugin", "new",      name,
                                           "--kind",   kind,     "--folder", scratch_ / folder};
        arguments.insert(arguments.end(), more.begin(), more.end());
        std::vector<char*> pointers;
        for (auto& argument : arguments) pointers.push_back(argument.data());
        std::istringstream in;
        std::ostringstream out, err;
        const int code =
            run_command_line(static_cast<int>(pointers.size()), pointers.data(), {in, out, err});
        return {code, out.str(), err.str()};
    }
    std::string content(const fs::path& file) const {
        std::ifstream in(scratch_ / file);
        EXPECT_TRUE(in) << file;
        return {std::istreambuf_iterator<char>(in), {}};
    }
    size_t entries() const {
        return static_cast<size_t>(
            std::distance(fs::directory_iterator(scratch_), fs::directory_iterator()));
    }

    fs::path scratch_ = [] {
        std::string name = testing::TempDir() + "patchbay_new_XXXXXX";
        return fs::path{mkdtemp(name.data())};
    }();
};

TEST_F(PluginNew, WritesThePluginsFolderOfEachKind) {
    for (const std::string kind : kinds) {
        SCOPED_TRACE(kind);
        const Finished done = run("acme_" + kind, kind, kind);
        ASSERT_EQ(done.code, 0) << done.err;
        EXPECT_THAT(done.out, HasSubstr("cmake -S "));
        const std::vector<std::string> files{"CMakeLists.txt",
                                             "README.md",
                                             "plugin.yaml",
                                             "sample.yaml",
                                             "src/acme_" + kind + ".cpp",
                                             "tests/acme_" + kind + "_test.cpp"};
        for (const std::string& file : files) {
            EXPECT_THAT(done.out, HasSubstr(file));
            const std::string text = content(fs::path(kind) / file);
            EXPECT_THAT(text, HasSubstr("acme_" + kind)) << file;
            for (const char* left : {"new_plugin", "NewPlugin", "NEW_PLUGIN"})
                EXPECT_THAT(text, Not(HasSubstr(left))) << file;
        }
        EXPECT_THAT(content(fs::path(kind) / "plugin.yaml"), HasSubstr("kind: " + kind));
    }
    EXPECT_EQ(entries(), std::size(kinds));
}

TEST_F(PluginNew, CallsTheClassAfterThePlugin) {
    ASSERT_EQ(run("acme_sms_2", "channel", "here").code, 0);
    EXPECT_THAT(content("here/src/acme_sms_2.cpp"), HasSubstr("class AcmeSms2 final"));
    EXPECT_THAT(content("here/sample.yaml"), HasSubstr("${env:ACME_SMS_2_TOKEN:-"));
}

TEST_F(PluginNew, TellsAProgramWhatItWrote) {
    const Finished done = run("greeter", "flow", "here", {"--output", "json"});
    ASSERT_EQ(done.code, 0) << done.err;
    const JsonObject json = parse_json_object(std::string_view(done.out));
    EXPECT_EQ(json->getValue<std::string>("kind"), "flow");
    EXPECT_EQ(json->getArray("files")->size(), 6u);
    EXPECT_EQ(json->getValue<std::string>("folder"), (scratch_ / "here").string());
}

TEST_F(PluginNew, RefusesANameThatIsNone) {
    for (const std::string name :
         {"Acme", "acme-sms", "2acme", "acme__sms", "_acme", "acme_", "a/b", "../up", "class",
          "event", "patchbay", "test", "caf\u00e9", ""}) {
        SCOPED_TRACE(name);
        const Finished done = run(name, "channel", "here");
        EXPECT_EQ(done.code, 2);
        EXPECT_THAT(done.err, HasSubstr("is no name of a plugin"));
    }
    EXPECT_EQ(run(std::string(64, 'a'), "channel", "here").code, 2);
    EXPECT_EQ(entries(), 0u);
    EXPECT_EQ(run(std::string(63, 'a'), "channel", "here").code, 0);
}

TEST_F(PluginNew, RefusesAnUnknownKindAndNamesTheOthers) {
    const Finished done = run("acme", "chanel", "here");
    EXPECT_EQ(done.code, 2);
    for (const char* kind : kinds) EXPECT_THAT(done.err, HasSubstr(kind));
}

TEST_F(PluginNew, LeavesWhatIsThereAlone) {
    fs::create_directory(scratch_ / "here");
    std::ofstream(scratch_ / "here/mine") << "mine";
    const Finished done = run("acme", "channel", "here/");
    EXPECT_EQ(done.code, 3);
    EXPECT_THAT(done.err, HasSubstr("is there already"));
    EXPECT_EQ(content("here/mine"), "mine");
    EXPECT_EQ(entries(), 1u);
    // Also a link that leads nowhere.
    fs::create_symlink("nowhere", scratch_ / "link");
    EXPECT_EQ(run("acme", "channel", "link").code, 3);
}

TEST_F(PluginNew, SaysWhenTheFolderCannotBeMade) {
    const Finished done = run("acme", "channel", "not/there/acme");
    EXPECT_EQ(done.code, 1);
    EXPECT_THAT(done.err, HasSubstr("no folder can be made"));
}

}  // namespace
}  // namespace patchbay
