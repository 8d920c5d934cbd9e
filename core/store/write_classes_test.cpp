// The two classes of writes: what somebody waits for, and the background.
#include "store/write_queue.hpp"

#include <atomic>

#include "store/test_store.hpp"

namespace patchbay {
namespace {

class WriteClasses : public StoreTest {
protected:
    /// Its name is kept when it runs: in the order of the statements, not of the answers.
    void queue(const std::string& name, Urgency urgency) {
        left.count_up();
        store->write_async([this, name](Transaction&) { ran.push_back(name); },
                           [this](std::exception_ptr) { left.count_down(); }, urgency);
    }

    struct Counter {
        std::atomic<int> count{0};
        void count_up() { ++count; }
        void count_down() {
            --count;
            count.notify_all();
        }
        void wait() {
            for (int now = count; now != 0; now = count) count.wait(now);
        }
    } left;
    std::vector<std::string> ran;  ///< The writer's while it works.
    std::unique_ptr<Store> store = open_with_things();
};

TEST_F(WriteClasses, LetTheBackgroundGoAfterWhatSomebodyWaitsFor) {
    // Held by the background, which has had its share then.
    HeldWriter held(*store, Urgency::background);
    queue("background 1", Urgency::background);
    queue("ordinary 1", Urgency::ordinary);
    queue("background 2", Urgency::background);
    queue("owed", Urgency::owed);
    queue("ordinary 2", Urgency::ordinary);
    held.release();
    left.wait();
    EXPECT_EQ(ran, (std::vector<std::string>{"ordinary 1", "owed", "ordinary 2", "background 1",
                                             "background 2"}));
}

TEST_F(WriteClasses, ShareOneCommit_G1) {
    HeldWriter held(*store);
    const uint64_t before = store->commits();
    queue("background", Urgency::background);
    queue("ordinary", Urgency::ordinary);
    held.release();
    left.wait();
    EXPECT_EQ(store->commits() - before, 2U) << "one for the held write, one for both";
}

// Somebody else comes before each commit has ended, for ever: the background still gets its turn.
TEST_F(WriteClasses, DoNotStarveTheBackground_G2) {
    std::atomic<bool> enough{false};
    std::atomic<int> ordinary{0};
    std::function<void()> again = [&] {
        if (enough) return;
        left.count_up();
        store->write_async([](Transaction&) {},
                           [&](std::exception_ptr) {
                               ++ordinary;
                               again();
                               left.count_down();
                           });
    };
    for (int i = 0; i < 4; ++i) again();
    std::latch background(200);
    for (int i = 0; i < 200; ++i)
        store->write_async(
            [i](Transaction& tx) {
                tx.run(things_add, {int64_t{i}, "x"});
            },
            [&](std::exception_ptr) { background.count_down(); }, Urgency::background);
    background.wait();
    enough = true;
    left.wait();
    EXPECT_EQ(count(*store), 200);
    EXPECT_GT(ordinary, 0);
}

TEST_F(WriteClasses, GiveTheBackgroundItsShareOfAFullGroup_G2) {
    constexpr int each = 5000;
    HeldWriter held(*store);
    std::atomic<int> next{0}, background_done{0}, background_at_the_end{0}, ordinary_left{each};
    const auto work = [&next](Transaction& tx) { tx.run(things_add, {int64_t{next++}, "x"}); };
    for (int i = 0; i < each; ++i) {
        left.count_up();
        store->write_async(
            work,
            [&](std::exception_ptr) {
                ++background_done;
                left.count_down();
            },
            Urgency::background);
        left.count_up();
        store->write_async(work, [&](std::exception_ptr) {
            if (--ordinary_left == 0) background_at_the_end = background_done.load();
            left.count_down();
        });
    }
    held.release();
    left.wait();
    // A third of the time, or what is kept for it of 1,024 places: at least an eighth of them.
    EXPECT_GE(background_at_the_end, each / 16);
    EXPECT_LT(background_at_the_end, each) << "those who wait were first";
    EXPECT_EQ(count(*store), 2 * each);
}

// A crowd of others is let in by a few at a time until all that is overdue has been written.
TEST(WriteQueues, LetOverdueWorkGoBeforeACrowd_G2) {
    WriteQueue queue(10'000);
    const auto add = [&](int count, Urgency urgency) {
        for (int i = 0; i < count; ++i) queue.add({Store::Work{}, {}, urgency});
    };
    add(2000, Urgency::ordinary);
    const auto only_ordinary = queue.take(WriteQueue::Taking::first_class, {});
    EXPECT_EQ(only_ordinary->size(), WriteQueue::max_group);

    add(2000, Urgency::ordinary);
    add(1, Urgency::background);
    add(3, Urgency::overdue);
    EXPECT_EQ(queue.take(WriteQueue::Taking::first_class, {})->size(),
              WriteQueue::most_beside_overdue);
    EXPECT_TRUE(queue.next_of_background(true, false)) << "its share";
    for (int i = 0; i < 3; ++i)
        EXPECT_TRUE(queue.next_of_background(true, true)) << "overdue, whatever its share";
    EXPECT_FALSE(queue.next_of_background(true, true));
    add(2, Urgency::background);
    EXPECT_EQ(queue.take(WriteQueue::Taking::first_class, {})->size(),
              WriteQueue::max_group - WriteQueue::kept_for_background);
    EXPECT_FALSE(queue.next_of_background(true, true)) << "its share is used up";
}

TEST(WriteQueues, LetTheBackgroundGoOnWhileNobodyWaits) {
    WriteQueue queue(10);
    queue.add({Store::Work{}, {}, Urgency::background});
    queue.add({Store::Work{}, {}, Urgency::background});
    EXPECT_TRUE(queue.take(WriteQueue::Taking::first_class, {})->empty());
    EXPECT_TRUE(queue.next_of_background(false, true));
    queue.add({Store::Work{}, {}, Urgency::ordinary});
    EXPECT_FALSE(queue.next_of_background(false, true));
}

TEST_F(WriteClasses, EachHaveTheirLimit_G19) {
    store.reset();
    StoreConfig small = config();
    small.max_queued = 2;
    store = std::make_unique<Store>(small, clock_);
    HeldWriter held(*store);
    for (const Urgency urgency : {Urgency::ordinary, Urgency::background}) {
        queue("1", urgency);
        queue("2", urgency);
        EXPECT_THROW(store->write_async([](Transaction&) {}, {}, urgency), StoreError);
    }
    held.release();
    left.wait();
}

TEST_F(WriteClasses, AreBothFinishedAtTheEnd) {
    std::atomic<int> done{0};
    for (int i = 0; i < 3000; ++i)
        store->write_async(
            [i](Transaction& tx) {
                tx.run(things_add, {int64_t{i}, "x"});
            },
            [&](std::exception_ptr error) { done += error == nullptr ? 1 : 0; },
            i % 2 == 0 ? Urgency::background : Urgency::ordinary);
    store.reset();
    EXPECT_EQ(done, 3000);
}

TEST_F(WriteClasses, TakeASingleStatementThatFailsAlone) {
    HeldWriter held(*store);
    std::vector<bool> kept;
    for (const int64_t id : {1, 1, 2}) {
        left.count_up();
        store->run_async(things_add, {id, "x"}, [&](std::exception_ptr error) {
            kept.push_back(error == nullptr);
            left.count_down();
        });
    }
    held.release();
    left.wait();
    EXPECT_EQ(kept, (std::vector<bool>{true, false, true}));
    EXPECT_EQ(count(*store), 2);
}

}  // namespace
}  // namespace patchbay
