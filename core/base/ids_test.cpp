#include "base/ids.hpp"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace patchbay {

TEST(Ids, MakesUuidsOfVersion7) {
    const ManualClock clock(0x0190'0000'0000);
    Ids ids(clock);
    const std::string id = ids.uuid();
    ASSERT_EQ(id.size(), 36u);
    EXPECT_EQ(id.substr(0, 15), "01900000-0000-7");
    EXPECT_NE(std::string("89ab").find(id[19]), std::string::npos) << id;
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef-"), std::string::npos) << id;
}

TEST(Ids, RiseWithinOneMillisecondAndAfterIt) {
    ManualClock clock;
    Ids ids(clock, 7);
    std::string uuid;
    int64_t machine = 0;
    for (int i = 0; i < 40'000; ++i) {  // More than one millisecond's 16,384 machine ids.
        const std::string next_uuid = ids.uuid();
        const int64_t next_machine = ids.machine_id();
        ASSERT_GT(next_uuid, uuid);
        ASSERT_GT(next_machine, machine);
        uuid = next_uuid;
        machine = next_machine;
        if (i == 20'000) clock.advance(std::chrono::milliseconds{1});
    }
}

TEST(Ids, CarryTimeAndNodeInTheMachineId) {
    const ManualClock clock(1'735'689'600'000 + 5);
    Ids ids(clock, 3);
    EXPECT_EQ(ids.machine_id(), (5ll << 22) + (3 << 14));
    EXPECT_EQ(Ids::lowest_at(clock.now_ms()), 5ll << 22);
    EXPECT_EQ(Ids::lowest_at(0), 0);
    EXPECT_GT(Ids::lowest_at(4'102'444'800'000), ids.machine_id())
        << "2100 is after now, not before";
    EXPECT_GT(Ids::lowest_at(253'402'300'799'999), ids.machine_id());
}

TEST(Ids, DifferBetweenThreads) {
    const ManualClock clock;
    Ids ids(clock);
    std::vector<std::vector<std::string>> made(4);
    std::vector<std::thread> threads;
    for (auto& list : made) {
        threads.emplace_back([&] {
            for (int i = 0; i < 2'000; ++i) list.push_back(ids.uuid());
        });
    }
    for (auto& thread : threads) thread.join();
    std::set<std::string> all;
    for (const auto& list : made) all.insert(list.begin(), list.end());
    EXPECT_EQ(all.size(), 8'000u);
}

}  // namespace patchbay
