#include "plugins/plugin_file.hpp"

#include <elf.h>
#include <gtest/gtest.h>
#include <patchbay/abi.h>

#include <cstddef>
#include <cstring>
#include <random>

#include "plugins/test_plugins.hpp"

namespace patchbay {
namespace {

std::string hello() { return read_whole(PATCHBAY_PLUGINS "/hello.so"); }

std::string refusal_of(const std::string& file) {
    try {
        check_stamp(read_stamp(file), "hello");
    } catch (const Error& error) {
        EXPECT_EQ(error.kind, ErrorKind::refused);
        return error.what();
    }
    return "accepted";
}

// The file with some bytes replaced.
template <class T>
std::string with(std::string file, size_t offset, T value) {
    std::memcpy(file.data() + offset, &value, sizeof value);
    return file;
}

size_t stamp_at(const std::string& file) { return file.find(PB_STAMP_MAGIC); }

TEST(Stamp, IsReadWithoutRunningThePlugin) {  // C1
    const PluginStamp stamp = read_stamp(hello());
    EXPECT_EQ(stamp.name, "hello");
    EXPECT_EQ(stamp.version, "1.0.0");
    EXPECT_EQ(stamp.provides, (std::vector<std::string>{"channel/1", "webhook/1"}));
    EXPECT_TRUE(stamp.needs.empty());
    EXPECT_EQ(stamp.sdk(), "0.1.0");
    EXPECT_EQ(stamp.abi_major, PB_ABI_MAJOR);
}

TEST(Stamp, OfABrokenFileIsRefusedWithTheReason_F44) {
    const std::string file = hello();
    const size_t stamp = stamp_at(file);
    const struct {
        const char* name;
        std::string content, reason;
    } cases[] = {
        {"empty", "", "the file is not a library (no ELF header)"},
        {"text", "not a library at all", "the file is not a library (no ELF header)"},
        {"cut inside the header", file.substr(0, 40), "the file is cut short"},
        {"cut in the middle", file.substr(0, file.size() / 2), "the file is cut short"},
        {"last byte missing", file.substr(0, file.size() - 1), "the file is cut short"},
        {"32 bits", with(file, EI_CLASS, uint8_t{ELFCLASS32}),
         "the library was built for another processor"},
        {"another machine", with(file, offsetof(Elf64_Ehdr, e_machine), uint16_t{EM_S390}),
         "the library was built for another processor"},
        {"an object file", with(file, offsetof(Elf64_Ehdr, e_type), uint16_t{ET_REL}),
         "the file is a program or an object, not a shared library"},
        {"section table beyond the end",
         with(file, offsetof(Elf64_Ehdr, e_shoff), uint64_t{file.size()}), "the file is cut short"},
        {"section table at the end of numbers",
         with(file, offsetof(Elf64_Ehdr, e_shoff), ~uint64_t{0} - 8), "the ELF header is damaged"},
        {"no stamp", with(file, stamp, 'X'), "the stamp is damaged"},
        {"next ABI", with(file, stamp + offsetof(pb_stamp, abi_major), uint16_t{PB_ABI_MAJOR + 1}),
         "the plugin was built for plugin interface 2, this hub has 1: build it again with this "
         "hub's SDK"},
        {"another name", with(file, stamp + offsetof(pb_stamp, name), 'j'),
         "the file says that it is \"jello\", not \"hello\""},
        {"a name without end",
         std::string(file).replace(stamp + offsetof(pb_stamp, name), 64, std::string(64, 'a')),
         "the stamp is damaged"},
        {"a library of somebody else", read_whole("/lib/x86_64-linux-gnu/libm.so.6"),
         "the library is not a Patchbay plugin (no stamp)"},
    };
    for (const auto& one : cases) {
        SCOPED_TRACE(one.name);
        if (one.content.empty() && one.name != std::string("empty"))
            continue;  // Not on this machine.
        EXPECT_EQ(refusal_of(one.content), one.reason);
    }
}

TEST(Stamp, ReaderSurvivesEveryDamagedHeader_F44) {
    std::string file = hello();
    const std::string whole = file;
    const uint64_t sections = reinterpret_cast<const Elf64_Ehdr*>(whole.data())->e_shoff;
    std::mt19937 random(7);
    for (int i = 0; i < 20'000; ++i) {
        const size_t places[] = {random() % sizeof(Elf64_Ehdr), random() % sizeof(Elf64_Ehdr),
                                 sections + random() % (file.size() - sections)};
        for (const size_t place : places) file[place] = static_cast<char>(random());
        try {
            read_stamp(file);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::refused);
        }
        for (const size_t place : places) file[place] = whole[place];
    }
}

class PluginFiles : public PluginTest {
protected:
    std::string refusal(const std::string& name) {
        try {
            find_plugin(config.plugin_path, name);
        } catch (const Error& error) {
            return error.what();
        }
        return "accepted";
    }
};

TEST_F(PluginFiles, AreFoundByNameInTheFirstFolderThatHasThem) {
    install("hello");
    config.plugin_path.insert(config.plugin_path.begin(), folder / "absent");
    EXPECT_EQ(find_plugin(config.plugin_path, "hello").stamp.name, "hello");
    EXPECT_EQ(refusal("other"), "there is no other.so in the plugin folders");
}

TEST_F(PluginFiles, AreRefusedWhenOthersMightHaveMadeThem) {
    install("hello");
    for (const char* name : {"../hello", "hello.so", "", "Hello", "a/b", "/etc/passwd"})
        EXPECT_EQ(refusal(name),
                  "\"" + std::string(name) + "\" is not the name of a plugin: a-z, 0-9 and _");

    std::filesystem::permissions(plugin_file("hello"), std::filesystem::perms(0666));
    EXPECT_EQ(refusal("hello"), "hello.so may be written by anybody");
    std::filesystem::permissions(plugin_file("hello"), std::filesystem::perms(04755));
    EXPECT_EQ(refusal("hello"), "hello.so is setuid or setgid");

    std::filesystem::rename(plugin_file("hello"), folder / "hello.so");
    std::filesystem::create_symlink(folder / "hello.so", plugin_file("hello"));
    EXPECT_EQ(refusal("hello"), "hello.so is a link out of its folder");
}

}  // namespace
}  // namespace patchbay
