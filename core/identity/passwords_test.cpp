#include "identity/passwords.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "http/problem.hpp"

namespace patchbay {
namespace {

constexpr ScryptCost cheap{.log2_n = 4, .r = 8, .p = 1};

}  // namespace

TEST(Passwords, MatchOnlyTheirOwnHashS60) {
    Passwords passwords(cheap);
    const std::string phc = passwords.hash("correct horse battery");
    EXPECT_TRUE(phc.starts_with("$scrypt$ln=4,r=8,p=1$")) << phc;
    EXPECT_EQ(phc.find('='), 10u) << "padding in " << phc;
    EXPECT_TRUE(passwords.matches("correct horse battery", phc));
    EXPECT_FALSE(passwords.matches("correct horse batterz", phc));
    EXPECT_FALSE(passwords.matches("", phc));
    EXPECT_NE(passwords.hash("correct horse battery"), phc) << "no salt";
}

TEST(Passwords, ReadTheHashOfAnotherCost) {
    const std::string phc = Passwords({.log2_n = 5, .r = 8, .p = 1}).hash("correct horse battery");
    Passwords passwords(cheap);
    EXPECT_TRUE(passwords.matches("correct horse battery", phc));
    EXPECT_TRUE(passwords.is_outdated(phc));
    EXPECT_FALSE(passwords.is_outdated(passwords.hash("correct horse battery")));
}

TEST(Passwords, MatchNoHashThatIsNone) {
    Passwords passwords(cheap);
    for (const char* phc : {"", "plain", "$scrypt$ln=99,r=8,p=1$c2FsdA$aGFzaGhhc2hoYXNoaGFzaA",
                            "$scrypt$ln=4,r=8,p=1$c2FsdA$", "$scrypt$ln=4,r=8,p=1$c2FsdA",
                            "$argon2id$v=19$m=1$a$b"}) {
        SCOPED_TRACE(phc);
        EXPECT_FALSE(passwords.matches("correct horse battery", phc));
        EXPECT_TRUE(passwords.is_outdated(phc));
    }
}

TEST(Passwords, TakeTheCostOfS60ByDefault) {
    Passwords passwords;
    EXPECT_TRUE(passwords.hash("correct horse battery").starts_with("$scrypt$ln=15,r=8,p=3$"));
}

TEST(Passwords, HashOnManyThreadsWithoutLosingOne) {
    Passwords passwords(cheap);
    const std::string phc = passwords.hash("correct horse battery");
    std::atomic<int> right{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] { right += passwords.matches("correct horse battery", phc); });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(right, 8);
}

TEST(Passwords, TurnAwayWhoWouldWaitTooLongS60) {
    Passwords passwords({.log2_n = 13, .r = 8, .p = 2});
    std::atomic<int> hashed{0}, turned_away{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 60; ++i) {
        threads.emplace_back([&] {
            try {
                passwords.hash("correct horse battery");
                ++hashed;
            } catch (const Problem& problem) {
                EXPECT_EQ(problem.code, "busy");
                EXPECT_EQ(problem.status, 503);
                ++turned_away;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_GE(hashed, 18);
    EXPECT_EQ(hashed + turned_away, 60);
    EXPECT_GT(turned_away, 0);
}

TEST(Passwords, MustBeLongAndNotWellKnownS60) {
    EXPECT_EQ(password_problem("correct horse battery"), "");
    EXPECT_EQ(password_problem(std::string(256, 'x') + "y"), "must have 256 bytes or fewer");
    EXPECT_EQ(password_problem("short"), "must have 12 characters or more");
    EXPECT_EQ(password_problem("Password1234"), "is one of the first that are guessed");
    EXPECT_EQ(password_problem("aaaaaaaaaaaaaa"), "is one of the first that are guessed");
}

}  // namespace patchbay
