// Faults of the catalogue as far as the store alone can show them; the whole server meets them in
// tests/faults.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/failpoint.hpp"
#include "store/faulty_disk.hpp"
#include "store/test_store.hpp"

namespace patchbay {
namespace {

using Kind = StoreError::Kind;
using namespace std::chrono_literals;

const Statement things_ids{"things.ids", "SELECT id FROM things ORDER BY id", {"PRIMARY"}};

std::optional<Kind> failure_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const StoreError& error) {
        return error.kind;
    }
    return std::nullopt;
}

/// A process of its own for what would end or limit this one. Its code says how it ended: 0 where
/// `run` returned true.
class Child {
public:
    explicit Child(const std::function<bool()>& run) : process_(fork()) {
        if (process_ != 0) return;
        bool ended_well = false;
        try {
            ended_well = run();
        } catch (const std::exception& error) {
            std::cerr << "child: " << error.what() << '\n';
        }
        _exit(ended_well ? 0 : 1);
    }
    ~Child() { end(); }
    void kill() { ::kill(process_, SIGKILL); }
    int end() {
        if (process_ > 0) {
            waitpid(process_, &status_, 0);
            process_ = -1;
        }
        return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    }

private:
    pid_t process_;
    int status_ = 0;
};

class StoreFaults : public StoreTest {
protected:
    std::string open_failure() {
        try {
            open();
        } catch (const StoreError& error) {
            EXPECT_EQ(error.kind, expected_) << error.what();
            return error.what();
        }
        return "";
    }
    void end_uncleanly() {
        EXPECT_EQ(Child([&] {
                      const auto store = open();
                      _exit(0);
                      return true;
                  }).end(),
                  0);
    }
    std::vector<int64_t> ids(Store& store) {
        std::vector<int64_t> found;
        for (const Row& row : store.read([](Session& session) { return session.run(things_ids); }))
            found.push_back(row.number(0));
        return found;
    }

    Kind expected_ = Kind::unavailable;
};

TEST_F(StoreFaults, F64SecondServerIsRefusedAndToldWhoHasIt) {
    const auto store = open_with_things();
    const std::string text = open_failure();
    EXPECT_NE(text.find("is in use by process " + std::to_string(getpid())), std::string::npos)
        << text;
    EXPECT_NE(text.find(file().string()), std::string::npos) << text;
    add(*store, 1);
}

TEST_F(StoreFaults, F64LockOfADeadServerIsFree) {
    open_with_things().reset();
    end_uncleanly();
    EXPECT_EQ(count(*open()), 0);
}

TEST_F(StoreFaults, F02KillBeforeCommitLeavesNothingAndAfterItEverything) {
    open_with_things().reset();
    const auto killed_at = [&](const char* point, int64_t id) {
        Child child([&] {
            const auto store = open();
            Failpoint::arm(point);
            add(*store, id);
            return true;
        });
        return child.end();
    };
    EXPECT_EQ(killed_at("store.before_commit:1", 1), 137);
    EXPECT_EQ(ids(*open()), std::vector<int64_t>());
    EXPECT_EQ(killed_at("store.after_commit:1", 2), 137);
    EXPECT_EQ(ids(*open()), std::vector<int64_t>{2});
}

TEST_F(StoreFaults, F01KillAtAnyMomentLosesNothingThatWasAcknowledged) {
    open_with_things().reset();
    int64_t next = 0;
    for (int round = 0; round < 10; ++round) {
        int acknowledged[2];
        ASSERT_EQ(pipe(acknowledged), 0);
        Child child([&] {
            const auto store = open();
            for (int64_t id = next;; ++id)
                store->write_async(
                    [id](Transaction& tx) {
                        tx.run(things_add, {id, "x"});
                    },
                    [&, id](std::exception_ptr) { (void)!write(acknowledged[1], &id, sizeof id); });
            return true;
        });
        close(acknowledged[1]);
        int64_t last = -1;
        for (int i = 0; i < 100 * (round + 1); ++i)
            ASSERT_EQ(read(acknowledged[0], &last, sizeof last), static_cast<ssize_t>(sizeof last));
        child.kill();
        child.end();
        while (read(acknowledged[0], &last, sizeof last) > 0) {
        }
        close(acknowledged[0]);
        const auto store = open();
        const std::vector<int64_t> kept = ids(*store);
        ASSERT_GE(kept.size(), static_cast<size_t>(last) + 1);
        next = static_cast<int64_t>(kept.size());
        EXPECT_EQ(kept.back(), next - 1) << "written in the order of the queue, without a hole";
    }
}

TEST_F(StoreFaults, F16WriteIsDoneOnlyAfterTheLogWasFlushedG1) {
    FaultyDisk disk;
    const auto store = open_with_things();
    const int before = disk.flushes;
    std::latch done(1);
    int at_done = 0;
    store->write_async(
        [](Transaction& tx) {
            tx.run(things_add, {int64_t{1}, "x"});
        },
        [&](std::exception_ptr) {
            at_done = disk.flushes;
            done.count_down();
        });
    done.wait();
    EXPECT_GT(at_done, before);
}

TEST_F(StoreFaults, F16FailedFlushFailsTheWholeGroupAndTheNextOneStartsAnew) {
    FaultyDisk disk;
    const auto store = open_with_things();
    add(*store, 1);
    std::atomic<int> failed{0};
    std::latch done(3);
    {
        HeldWriter held(*store);
        disk.fails_to_flush = true;
        for (int64_t id = 2; id < 5; ++id)
            store->write_async(
                [id](Transaction& tx) {
                    tx.run(things_add, {id, "x"});
                },
                [&](std::exception_ptr error) {
                    failed +=
                        failure_of([&] { std::rethrow_exception(error); }) == Kind::unavailable;
                    done.count_down();
                });
    }
    done.wait();
    EXPECT_EQ(failed, 3);
    EXPECT_EQ(failure_of([&] { add(*store, 5); }), Kind::unavailable);
    EXPECT_EQ(ids(*store), std::vector<int64_t>{1});
    disk.fails_to_flush = false;
    add(*store, 6);
    EXPECT_EQ(ids(*store), (std::vector<int64_t>{1, 6}));
}

TEST_F(StoreFaults, F10FullDiskFailsTheWholeGroupEvenWhereTheWorkMadeNothingOfIt) {
    FaultyDisk disk;
    const auto store = open_with_things();
    disk.is_full = true;
    const auto work = [](Transaction& tx) {
        try {
            tx.run(things_add, {int64_t{1}, std::string(100, 'x')});
        } catch (const StoreError&) {
        }
    };
    EXPECT_EQ(failure_of([&] { store->write(work); }), Kind::full);
    EXPECT_EQ(ids(*store), std::vector<int64_t>());
}

bool mount_small_disk(const std::filesystem::path& folder, const char* options) {
    return unshare(CLONE_NEWNS) == 0 &&
           mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("tmpfs", folder.c_str(), "tmpfs", 0, options) == 0;
}

void fill_disk(const std::filesystem::path& file) {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    for (const size_t size : {size_t{1} << 20, size_t{4096}}) {
        const std::string block(size, 'f');
        while (write(descriptor, block.data(), block.size()) > 0) {
        }
    }
    close(descriptor);
}

constexpr int skipped = 77;

TEST_F(StoreFaults, F10FullDiskRefusesWritesKeepsReadsEndsWhatIsOwedAndRecoversG12) {
    const auto run = [&] {
        if (!mount_small_disk(folder_.path(), "size=24m")) _exit(skipped);
        StoreConfig with_ballast = config();
        with_ballast.ballast_bytes = 4 << 20;
        Store store(with_ballast, clock_);
        store.write([](Transaction& tx) { tx.run_script(things_table); });
        add(store, 1);
        fill_disk(folder_.path() / "filler");
        bool is_good = true;
        const auto expect = [&](bool is_true, const char* what) {
            if (!is_true) std::cerr << "child: " << what << '\n';
            is_good = is_good && is_true;
        };
        const std::string large(64 << 10, 'x');
        int64_t id = 2;
        while (id < 1000 && !failure_of([&] { add(store, id, large); })) ++id;
        const int64_t first_refused = id;
        expect(first_refused < 1000, "a full disk refuses");
        expect(store.full(), "the store says that it is full");
        expect(failure_of([&] { add(store, 5000); }) == Kind::full,
               "small ordinary writes are refused too");
        expect(count(store) == first_refused - 1, "reads work");
        store.write(
            [](Transaction& tx) {
                tx.run(things_add, {int64_t{6000}, std::string(1 << 20, 'o')});
            },
            Urgency::owed);
        expect(count(store) == first_refused, "what is owed can end");
        std::filesystem::remove(folder_.path() / "filler");
        const auto deadline = std::chrono::steady_clock::now() + 10s;
        while (failure_of([&] { add(store, 7000); }) && std::chrono::steady_clock::now() < deadline)
            std::this_thread::yield();
        expect(!store.full(), "there is room again");
        expect(count(store) == first_refused + 1, "writes are taken again");
        return is_good;
    };
    const int code = Child(run).end();
    if (code == skipped) GTEST_SKIP() << "this user may not mount a disk";
    EXPECT_EQ(code, 0);
}

TEST_F(StoreFaults, F11FileSizeLimitIsAFullDiskAndHarmsNothing) {
    open_with_things().reset();
    const auto run = [&] {
        signal(SIGXFSZ, SIG_IGN);
        const auto store = open();
        const rlimit limit{2 << 20, 2 << 20};
        setrlimit(RLIMIT_FSIZE, &limit);
        int64_t kept = 0, refused = 0;
        for (int64_t id = 0; id < 500; ++id) {
            const auto failure = failure_of([&] { add(*store, id, std::string(10 << 10, 'x')); });
            (failure == Kind::full ? refused : kept) += 1;
        }
        _exit(refused > 0 && kept > 50 && count(*store) == kept ? 0 : 1);
        return false;
    };
    EXPECT_EQ(Child(run).end(), 0);
    const auto store = open();  // With quick_check: the child did not stop cleanly.
    EXPECT_GT(count(*store), 50);
    add(*store, 5000);
}

TEST_F(StoreFaults, F17DamageIsFoundAtTheStartAfterAnUncleanStopG23) {
    {
        const auto store = open_with_things();
        for (int64_t id = 0; id < 50; ++id) add(*store, id, std::string(2000, 'x'));
    }
    end_uncleanly();
    damage();
    const auto before = std::filesystem::last_write_time(file());
    expected_ = Kind::corrupt;
    const std::string text = open_failure();
    EXPECT_NE(text.find(file().string()), std::string::npos) << text;
    EXPECT_NE(text.find("restore the newest backup"), std::string::npos) << text;
    EXPECT_EQ(std::filesystem::last_write_time(file()), before) << "the file is left as it is";
    EXPECT_NE(open_failure(), "") << "and it is found again";
}

TEST_F(StoreFaults, F17DamageFoundByAReadRefusesWritesG23) {
    {
        const auto store = open_with_things();
        for (int64_t id = 0; id < 50; ++id) add(*store, id, std::string(2000, 'x'));
    }
    damage();
    const auto store = open();
    EXPECT_EQ(failure_of([&] { ids(*store); }), Kind::corrupt);
    EXPECT_EQ(failure_of([&] { store->write([](Transaction&) {}); }), Kind::corrupt);
}

TEST_F(StoreFaults, F17FileOfAnotherKindIsRefused) {
    std::ofstream(file()) << std::string(10000, 'x');
    expected_ = Kind::corrupt;
    EXPECT_NE(open_failure().find(file().string()), std::string::npos);
}

}  // namespace
}  // namespace patchbay
