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
     "hub.yaml:1:4: a: anchors (&name) are not used here; write the value again\n"
     "hub.yaml:1:8: a[0]: aliases (*name) are not used here; write the value again"},
    {"alias of nothing", "a: *b\n",
     "hub.yaml:1:4: aliases (*name) are not used here; write the value again, or in quotes if it "
     "is a text"},
    {"merge", "a: {b: c}\n<<: {d: e}\n",
     "hub.yaml:2:1: <<: merging (<<) is not used here; write the keys again"},
    {"tag", "a: !!binary aGk=\n", "hub.yaml:1:4: a: tags (!name) are not used here"},
    {"own tag on a map", "a: !thing {b: c}\n", "hub.yaml:1:4: a: tags (!name) are not used here"},
    {"duplicate key", "a: x\nb: y\na: z\n",
     "hub.yaml:3:1: a: is here twice; the first is in line 1"},
    {"duplicate key below", "a:\n  b: x\n  b: y\n",
     "hub.yaml:3:3: a.b: is here twice; the first is in line 2"},
    {"octal-looking number", "list: [x, 010]\n",
     "hub.yaml:1:11: list[1]: the number 010 begins with 0; quote it if it is a text"},
    {"octal-looking secret", "auth_token: 0101\n",
     "hub.yaml:1:13: auth_token: the number begins with 0; quote it if it is a text"},
    {"second document", "a: x\n---\nb: y\n",
     "hub.yaml:2:1: a second document; a configuration file has one"},
    {"document after its end", "a: x\n...\n# then\nb: y\n",
     "hub.yaml:4:1: a second document; a configuration file has one"},
    {"text after the end", "{a: x}\n{b: y}\n",
     "hub.yaml:2:1: stands after the end of the configuration"},
    {"33 levels", nested_lists(33),
     "hub.yaml:1:33: [0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]"
     "[0][0][0][0][0][0][0][0][0][0][0]: nested more than 32 levels deep"},
    {"map as key", "? {a: b}\n: c\n", "hub.yaml:1:3: a key must be a word"},
    {"empty key", "\"\": c\n", "hub.yaml:1:1: a key must be a word"},
    {"not UTF-8", "a: x\nb: \xFF\n", "hub.yaml:2:4: is not UTF-8 text"},
    {"control character", "a: \x1B[31m\n", "hub.yaml:1:4: has the control character 0x1B"},
};

const TrapCase slips[] = {
    {"tab", "server:\n\tlisten: x\n",
     "hub.yaml:2:1: a tab in the indentation; YAML wants blanks there"},
    {"tab after blanks", "server:\n  listen: x\n  \turl: y\n",
     "hub.yaml:3:1: a tab in the indentation; YAML wants blanks there"},
    {"deeper than its neighbour", "a:\n  b: 1\n    c: 2\n",
     "hub.yaml:3:5: is indented deeper than the line above, which has its value already"},
    {"between two levels", "a:\n    b: 1\n  c: 2\n",
     "hub.yaml:3:3: its indentation is that of no line above"},
    {"less than the first", "  a: 1\nb: 2\n",
     "hub.yaml:2:1: is indented less than the first key; all keys of a level begin alike"},
    {"item deeper than its neighbour", "a:\n - b\n  - c\n",
     "hub.yaml:3:3: a[0]: its indentation is not that of the list item above"},
    {"item among keys", "a: b\n- c\n", "hub.yaml:2:1: a list item where a key belongs"},
    {"two colons", "a: b: c\n",
     "hub.yaml:1:5: a second \": \" in the line; put the text in quotes"},
    {"no colon", "a: x\nb\nc: d\n", "hub.yaml:2:1: expected \"key: value\"; the colon is missing"},
    {"no colon in the last line", "a: x\nb\n",
     "hub.yaml:2:1: b: expected \"key: value\"; the colon is missing"},
    {"no blank after the colon", "a: {b:c}\n",
     "hub.yaml:1:5: a.b:c: expected \"key: value\"; a blank is missing after the colon"},
    {"open bracket", "a: [x, y\nb: z\n",
     "hub.yaml:1:4: this bracket is not closed, or a comma is missing after it"},
    {"open quote", "a: \"x\nb: y\n", "hub.yaml:1:4: a: this quote is not closed"},
    {"open quote in brackets", "a: [\"x\", 'it''s', \"y\nb: z\n",
     "hub.yaml:1:19: a[2]: this quote is not closed"},
    {"open quote, closed by the next", "a: \"x\nb: \"y\"\n",
     "hub.yaml:1:4: this quote is not closed in its line"},
    {"text after the quote", "a: \"x\" y\n",
     "hub.yaml:1:8: does not belong to the value before it; put the whole text in quotes"},
    {"forbidden begin", "a: @x\n",
     "hub.yaml:1:4: a text that begins with @ has to stand in quotes"},
    {"unknown escape", "a: \"\\q\"\n",
     "hub.yaml:1:7: an unknown escape; in double quotes a backslash is written \\\\"},
    {"bracket too many", "a: }\n", "hub.yaml:1:4: this bracket closes nothing"},
};

}  // namespace

TEST(YamlTree, RefusesTheTrapsOfYamlS36) {
    for (const auto& [name, text, expected] : traps) {
        SCOPED_TRACE(name);
        EXPECT_EQ(problems_of(text), expected);
    }
}

TEST(YamlTree, SaysInWordsWhatIsWrongWithTheSyntax) {
    for (const auto& [name, text, expected] : slips) {
        SCOPED_TRACE(name);
        EXPECT_EQ(problems_of(text), expected);
    }
}

TEST(YamlTree, GivesWhatItReadBeforeTheBreak) {
    ConfigProblems problems("hub.yaml");
    const YamlDocument document = read_yaml("a: x\nb:\n  c: y\n  d: [z\n", problems);
    EXPECT_EQ(document.broken_line, 4);
    EXPECT_EQ(document.root.find("a")->value.text, "x");
    EXPECT_EQ(document.root.find("b")->value.find("c")->value.text, "y");
}

TEST(YamlTree, CountsCharactersAndLeavesTheByteOrderMarkOut) {
    ConfigProblems problems("hub.yaml");
    const YamlNode tree = read_yaml("\xEF\xBB\xBF{é: \"ö\", b: c}\r\n", problems).root;
    EXPECT_EQ(tree.find("b")->at.column, 10);
    EXPECT_EQ(tree.find("b")->value.at.column, 13);
    EXPECT_EQ(tree.find("é")->value.position_in(2).column, 7);
}

TEST(YamlTree, ReadsAMegabyteInOneLine) {
    std::string text = "{list: [a";
    while (text.size() < 1'000'000) text += ", \"b\", {c: d}";
    ConfigProblems problems("hub.yaml");
    const YamlNode tree = read_yaml(text + "]}", problems).root;
    EXPECT_TRUE(problems.sorted().empty());
    const auto& items = tree.find("list")->value.items;
    EXPECT_EQ(items.back().entries.front().value.at.column, static_cast<int>(text.size()) - 1);
}

TEST(YamlTree, PutsAnEmptyValueWhereItsKeyIs) {
    ConfigProblems problems("hub.yaml");
    const YamlNode tree = read_yaml("a:\n\nb:\n  - x\n  -\n  # none\n  - y\n", problems).root;
    EXPECT_EQ(tree.find("a")->value.at.line, 1);
    EXPECT_EQ(tree.find("b")->value.items.at(1).at.line, 5);
    EXPECT_EQ(tree.find("b")->value.items.at(1).at.column, 3);
}

TEST(YamlTree, AcceptsThirtyTwoLevels) { EXPECT_EQ(problems_of(nested_lists(32)), ""); }

TEST(YamlTree, KeepsTextsAsTheyWereWritten) {
    ConfigProblems problems("hub.yaml");
    const YamlNode tree =
        read_yaml("number: +15005550006\nquoted: \"10\"\nlong: |\n  two\n  lines\n", problems).root;
    EXPECT_EQ(tree.find("number")->value.text, "+15005550006");
    EXPECT_TRUE(tree.find("number")->value.plain);
    EXPECT_EQ(tree.find("quoted")->value.text, "10");
    EXPECT_FALSE(tree.find("quoted")->value.plain);
    EXPECT_EQ(tree.find("long")->value.text, "two\nlines\n");
    EXPECT_EQ(tree.find("quoted")->at.line, 2);
    EXPECT_EQ(tree.find("quoted")->value.at.column, 9);
}

TEST(YamlTree, KnowsTheWordsThatReadersDisagreeAbout) {
    for (const char* word :
         {"10", "-1.5", "+15005550006", "0x10", "1e5", ".5", ".inf", "1_000", "0b11", "22:22"}) {
        EXPECT_EQ(ambiguous_kind(word), "a number") << word;
    }
    for (const char* word : {"true", "No", "OFF", "y"}) {
        EXPECT_EQ(ambiguous_kind(word), "a boolean") << word;
    }
    EXPECT_EQ(ambiguous_kind("2026-11-20"), "a date");
    EXPECT_EQ(ambiguous_kind("2026-11-20T10:00:00Z"), "a date");
    for (const char* word : {"127.0.0.1:8000", "AC01", "12h", "Norway", "-", "+", ".", "e5", "0xg",
                             "1.2.3", "::1", "_1"}) {
        EXPECT_EQ(ambiguous_kind(word), "") << word;
    }
}

}  // namespace patchbay
