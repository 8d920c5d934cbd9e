#include "delivery/bulkhead.hpp"

#include "delivery/delivery_fixture.hpp"

namespace patchbay {
namespace {

TEST(Bulkheads, NeverLetOneChannelHoldMoreThanHalf_G14) {
    Bulkhead bulkhead{16};
    EXPECT_EQ(bulkhead.free_for("slow", 0), 8u);
    EXPECT_EQ(bulkhead.free_for("slow", 5), 3u);
    EXPECT_EQ(bulkhead.free_for("slow", 8), 0u);
    EXPECT_EQ(bulkhead.free_for("other", 0), 8u) << "the other half is there for others";
}

TEST(Bulkheads, GiveOutNoMoreThanThereIs) {
    Bulkhead bulkhead{16};
    bulkhead.free_for("one", 8);
    EXPECT_EQ(bulkhead.free_for("two", 4), 4u);
    for (int i = 0; i < 4; ++i) bulkhead.began("two");
    EXPECT_EQ(bulkhead.free_for("three", 1), 0u);
    EXPECT_EQ(bulkhead.free_for("one", 2), 5u) << "what has ended is free again";
}

TEST(Bulkheads, LetAChannelWithNothingAtWorkBegin_G14) {
    Bulkhead bulkhead{4};
    bulkhead.free_for("one", 2);
    bulkhead.free_for("two", 2);
    EXPECT_EQ(bulkhead.free_for("three", 0), 1u);
    EXPECT_EQ(bulkhead.free_for("three", 1), 0u);
}

class SharedBulkhead : public DeliveryTest {
protected:
    ChannelGate gate_of(const std::string& name, uint32_t concurrency) {
        return {{.instance = name, .concurrency = concurrency}, leases(), clock, bulkhead};
    }
    std::shared_ptr<Bulkhead> bulkhead = std::make_shared<Bulkhead>(16);
};

TEST_F(SharedBulkhead, KeepsAHungChannelFromTheThreadsOfOthers_G14) {
    ChannelGate hung = gate_of("hung", 100), healthy = gate_of("healthy", 8);
    const unsigned taken = hung.may_claim(100, 0).count;
    EXPECT_EQ(taken, 8u);
    for (unsigned i = 0; i < taken; ++i) hung.take();
    EXPECT_EQ(hung.may_claim(92, taken).count, 0u);
    EXPECT_EQ(healthy.may_claim(8, 0).count, 8u);
}

}  // namespace
}  // namespace patchbay
