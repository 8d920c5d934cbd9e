#include "config/yaml_tree.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

std::string problems_of(const std::string& text) {
    ConfigProblems problems("hub.yaml");
    read_yaml(text, problems);
    try {
        problems.throw_if_any();
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "";
}

struct TrapCase {
    const char* name;
    std::string text, expected;
};

std::string nested_lists(size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']') + "\n";
}

const TrapCase traps[] = {
    {"alias to itself", "a: &a [*a]\n",
     "hub.yaml:1:4: a: anchors (&name) are not used here; write the value again"},
    {"alias of nothing", "a: *b\n", "hub.yaml:1:4: the referenced anchor is not defined"},
    {"tag", "a: !!binary aGk=\n", "hub.yaml:1:4: a: tags (!name) are not used here"},
    {"own tag on a map", "a: !thing {b: c}\n", "hub.yaml:1:4: a: tags (!name) are not used here"},
    {"duplicate key", "a: x\nb: y\na: z\n",
     "hub.yaml:3:1: a: is here twice; the first is in line 1"},
    {"duplicate key below", "a:\n  b: x\n  b: y\n",
     "hub.yaml:3:3: a.b: is here twice; the first is in line 2"},
    {"octal-looking number", "list: [x, 010]\n",
     "hub.yaml:1:11: list[1]: the number 010 begins with 0; quote it if it is a text"},
    {"second document", "a: x\n---\nb: y\n",
     "hub.yaml:2:1: a second document; a configuration file has one"},
    {"33 levels", nested_lists(33),
     "hub.yaml:1:33: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
     "[0][0][0][0][0][0][0][0][0][0][0]: nested more than 32 levels deep"},
    {"map as key", "? {a: b}\n: c\n", "hub.yaml:1:3: a key must be a word"},
    {"not UTF-8", "a: x\nb: \xFF\n", "hub.yaml:2:4: is not UTF-8 text"},
};

}  // namespace

TEST(YamlTree, RefusesTheTrapsOfYamlS36) {
    for (const auto& [name, text, expected] : traps) {
        SCOPED_TRACE(name);
        EXPECT_EQ(problems_of(text), expected);
    }
}

TEST(YamlTree, SaysWhereTheSyntaxIsBroken) {
    const std::string text = problems_of("a: x\n  b: [1, 2\nc: d\n");
    EXPECT_TRUE(text.starts_with("hub.yaml:2:")) << text;
}

TEST(YamlTree, AcceptsThirtyTwoLevels) { EXPECT_EQ(problems_of(nested_lists(32)), ""); }

TEST(YamlTree, KeepsTextsAsTheyWereWritten) {
    ConfigProblems problems("hub.yaml");
    const YamlNode tree =
        read_yaml("number: +15005550006\nquoted: \"10\"\nlong: |\n  two\n  lines\n", problems);
    EXPECT_EQ(tree.find("number")->value.text, "+15005550006");
    EXPECT_TRUE(tree.find("number")->value.plain);
    EXPECT_EQ(tree.find("quoted")->value.text, "10");
    EXPECT_FALSE(tree.find("quoted")->value.plain);
    EXPECT_EQ(tree.find("long")->value.text, "two\nlines\n");
    EXPECT_EQ(tree.find("quoted")->at.line, 2);
    EXPECT_EQ(tree.find("quoted")->value.at.column, 9);
}

TEST(YamlTree, KnowsTheWordsThatReadersDisagreeAbout) {
    for (const char* word : {"10", "-1.5", "+15005550006", "0x10"}) {
        EXPECT_EQ(ambiguous_kind(word), "a number") << word;
    }
    for (const char* word : {"true", "No", "OFF", "y"}) {
        EXPECT_EQ(ambiguous_kind(word), "a boolean") << word;
    }
    EXPECT_EQ(ambiguous_kind("2026-11-20"), "a date");
    for (const char* word : {"127.0.0.1:8000", "AC01", "12h", "Norway", "-", "+", "."}) {
        EXPECT_EQ(ambiguous_kind(word), "") << word;
    }
}

}  // namespace patchbay
