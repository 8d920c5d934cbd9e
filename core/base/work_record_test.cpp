#include "base/work_record.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <latch>
#include <thread>

namespace patchbay {
namespace {

using Left = std::vector<WorkLeft>;

/// Each process keeps its record in one file.
class WorkRecords : public testing::Test {
protected:
    ~WorkRecords() override { std::filesystem::remove_all(folder); }

    // The wait status of a process of its own, which ends with 0 after `work`.
    int in_process(const std::function<void()>& work) const {
        const pid_t child = ::fork();
        if (child == 0) {
            ::freopen("/dev/null", "w", stderr);  // What a sanitizer says of the crash.
            work();
            ::_exit(0);
        }
        int status = -1;
        ::waitpid(child, &status, 0);
        return status;
    }
    // A process that starts, works and dies; then what the next one finds.
    void expect_left(const std::function<void()>& work, const Left& expected) const {
        EXPECT_NE(in_process([&] {
                      keep_work_record(file);
                      work();
                  }),
                  -1);
        EXPECT_EQ(in_process([&] { ::_exit(keep_work_record(file) == expected ? 0 : 1); }), 0);
        EXPECT_EQ(in_process([&] { ::_exit(keep_work_record(file).empty() ? 0 : 1); }), 0)
            << "it is blamed once";
    }

    const std::filesystem::path folder = [] {
        std::string name = testing::TempDir() + "work_XXXXXX";
        return std::filesystem::path{::mkdtemp(name.data())};
    }();
    const std::filesystem::path file = folder / "state" / "work";
};

// Not at null, where a sanitizer would speak before the processor does.
void crash() {
    void* const closed =
        ::mmap(nullptr, sizeof(int), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile int*>(closed) = 1;
}

int overflow(volatile char* before, int depth) {
    volatile char frame[4096];
    frame[0] = before ? before[0] : 0;
    return depth < 0 ? 0 : overflow(frame, depth + 1) + frame[0];
}

TEST_F(WorkRecords, NameTheWorkOfTheThreadThatCrashed_F42_G15) {
    for (const auto& how : {std::function<void()>{crash}, std::function<void()>{std::abort},
                            std::function<void()>{[] { overflow(nullptr, 0); }}}) {
        expect_left(
            [&] {
                std::latch waits{1}, never{1};
                std::thread bystander{[&] {
                    const AtWork at{WorkKind::webhook, 9};
                    waits.count_down();
                    never.wait();
                }};
                waits.wait();
                std::thread{[&] {
                    const AtWork outer{WorkKind::job, 6};
                    const AtWork at{WorkKind::job, 7};
                    how();
                }}.join();
                bystander.join();
            },
            {{WorkKind::webhook, 9, false}, {WorkKind::job, 7, true}});
    }
}

TEST_F(WorkRecords, KeepTheSuspectsOfADeathThatNothingAnnounces_F42) {
    expect_left(
        [] {
            const AtWork at{WorkKind::webhook, 9};
            ::raise(SIGKILL);
        },
        {{WorkKind::webhook, 9, false}});
}

TEST_F(WorkRecords, ForgetWhatWasFinishedAndWhatAnOrderlyEndLeftBehind) {
    expect_left(
        [] {
            {
                const AtWork outer{WorkKind::job, 6};
                const AtWork inner{WorkKind::job, 7};
            }
            ::raise(SIGKILL);
        },
        {});
    expect_left(
        [] {
            const AtWork at{WorkKind::job, 6};
            clear_work_record();
            ::_exit(0);
        },
        {});
}

TEST_F(WorkRecords, LetTheProcessDieOfTheSignal) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const int status = in_process([&] {
        keep_work_record(file);
        const AtWork at{WorkKind::job, 7};
        crash();
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGSEGV);
    const int sent = in_process([&] {
        keep_work_record(file);
        ::raise(SIGBUS);
    });
    ASSERT_TRUE(WIFSIGNALED(sent));
    EXPECT_EQ(WTERMSIG(sent), SIGBUS);
#endif
}

}  // namespace
}  // namespace patchbay
