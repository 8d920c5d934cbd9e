#include "config/problem.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

std::string all(const ConfigProblems& problems) {
    std::string out;
    for (const auto& one : problems.sorted()) out += one.text() + "\n";
    return out;
}

TEST(ConfigProblems, ComeInTheOrderOfTheFile) {
    ConfigProblems problems("hub.yaml");
    problems.add({3, 1}, "b", "is wrong");
    problems.add({1, 9}, "a", "is wrong");
    problems.warn({1, 2}, "", "looks odd", config_code::value);
    EXPECT_EQ(all(problems),
              "hub.yaml:1:2: warning: looks odd\n"
              "hub.yaml:1:9: a: is wrong\n"
              "hub.yaml:3:1: b: is wrong\n");
}

TEST(ConfigProblems, TellOneMistakeOnce) {
    ConfigProblems problems("hub.yaml");
    problems.add({1, 1}, "a", "begins with 0");
    problems.add({1, 1}, "a", "is no text");
    problems.add({1, 1}, "a", "\"x\" is missing", config_code::missing);
    problems.add({1, 1}, "a", "\"y\" is missing", config_code::missing);
    EXPECT_EQ(all(problems),
              "hub.yaml:1:1: a: begins with 0\n"
              "hub.yaml:1:1: a: \"x\" is missing\n"
              "hub.yaml:1:1: a: \"y\" is missing\n");
}

TEST(ConfigProblems, ThrowOnlyForErrors) {
    ConfigProblems problems("hub.yaml");
    problems.warn({1, 1}, "a", "looks odd", config_code::value);
    EXPECT_NO_THROW(problems.throw_if_any());
    problems.add({2, 1}, "b", "is wrong");
    try {
        problems.throw_if_any();
        ADD_FAILURE() << "did not throw";
    } catch (const ConfigError& error) {
        EXPECT_STREQ(error.what(), "hub.yaml:2:1: b: is wrong");
    }
}

TEST(ConfigProblems, CountOnlyWhatStandsBeforeTheBreak) {
    ConfigProblems problems("hub.yaml");
    problems.add({7, 1}, "", "a bracket is not closed");
    problems.stop_at(7);
    problems.add({2, 1}, "a", "unknown key", config_code::unknown_key);
    problems.add({2, 1}, "a", "\"x\" is missing", config_code::missing);
    problems.add({8, 1}, "b", "unknown key", config_code::unknown_key);
    EXPECT_EQ(all(problems),
              "hub.yaml:2:1: a: unknown key\nhub.yaml:7:1: a bracket is not closed\n");
}

TEST(Nearest, FindsTheSlipOfTheHand) {
    const std::vector<std::string> known = {"listen", "limits", "public_url", "tls"};
    EXPECT_EQ(nearest("listenn", known), "listen");
    EXPECT_EQ(nearest("lsiten", known), "listen");
    EXPECT_EQ(nearest("publicurl", known), "public_url");
    EXPECT_EQ(nearest("tsl", known), "tls") << "a swap is one slip";
    EXPECT_EQ(nearest("tss", known), "tls");
    EXPECT_EQ(nearest("lts", known), "tls") << "two neighbours changed places";
    EXPECT_EQ(nearest("colour", known), "");
    EXPECT_EQ(nearest("port", known), "");
    EXPECT_EQ(nearest(std::string(10'000, 'x'), known), "");
}

TEST(Message, HasOneLineAndNoControlBytesS83) {
    EXPECT_EQ(in_message("a\nb\tc\x1B[31m"), "a\\nb\\tc?[31m");
    EXPECT_EQ(in_message("é" + std::string(100, 'x'), 3), "éxx...");
    EXPECT_EQ(char_count("Café"), 4u);
}

}  // namespace
}  // namespace patchbay
