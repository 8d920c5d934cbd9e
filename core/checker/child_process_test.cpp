#include "checker/child_process.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace patchbay::checker {
namespace {

using namespace std::chrono_literals;

TEST(ChildProcess, GivesBackWhatTheWorkSays) {
    const ChildResult result = run_in_child([] { return std::string("fine\0and more", 13); }, 10s);
    EXPECT_TRUE(result.answered);
    EXPECT_EQ(result.answer, std::string("fine\0and more", 13));
    EXPECT_EQ(result.ending, "");
}

TEST(ChildProcess, NamesTheSignalOfACrash) {
    const ChildResult result = run_in_child(
        []() -> std::string {
            std::fputs("last words\n", stderr);
            std::signal(SIGABRT, SIG_DFL);
            std::abort();
        },
        10s);
    EXPECT_FALSE(result.answered);
    EXPECT_EQ(result.ending, "crashed with SIGABRT");
    EXPECT_EQ(result.output, "last words\n");
}

TEST(ChildProcess, SaysThatTheWorkEndedTheProcess) {
    const ChildResult result = run_in_child([]() -> std::string { ::_exit(7); }, 10s);
    EXPECT_FALSE(result.answered);
    EXPECT_EQ(result.ending, "ended the process with exit code 7");
}

TEST(ChildProcess, DoesNotTakeAnEarlyExitForAnAnswer) {
    const ChildResult result = run_in_child([]() -> std::string { ::_exit(0); }, 10s);
    EXPECT_FALSE(result.answered);
    EXPECT_EQ(result.ending, "ended the process with exit code 0");
}

TEST(ChildProcess, EndsWhatDoesNotEndAndWhatItStarted) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const ChildResult result = run_in_child(
        [&]() -> std::string {
            ::close(ends[0]);
            if (::fork() == 0) ::pause();
            for (;;) ::pause();
        },
        1s);
    EXPECT_FALSE(result.answered);
    EXPECT_EQ(result.ending, "did not end in 1 s");
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 0) << "one of them still holds the pipe";
    ::close(ends[0]);
}

TEST(ChildProcess, LeavesTheCallerUntouchedByAnException) {
    const ChildResult result =
        run_in_child([]() -> std::string { throw std::runtime_error("out of the work"); }, 10s);
    EXPECT_FALSE(result.answered);
    EXPECT_NE(result.ending, "");
}

}  // namespace
}  // namespace patchbay::checker
