#include "store/start_check.hpp"

#include "store/test_store.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

class StartChecks : public StoreTest {
protected:
    StartChecks() {
        const auto store = open_with_things();
        for (int64_t id = 0; id < 20; ++id) add(*store, id, std::string(100'000, 'x'));
    }
};

TEST_F(StartChecks, PassWhereNothingIsDamaged) {
    StartCheck check(file());
    EXPECT_TRUE(check.wait_for(60s));
    EXPECT_TRUE(check.has_passed());
}

TEST_F(StartChecks, ReportDamageThatIsFoundLater) {
    damage();
    StartCheck check(file());
    std::optional<StoreError> reported;
    EXPECT_THROW(check.wait_for(60s), StoreError);
    check.report_to([&](const StoreError& error) { reported = error; });
    ASSERT_TRUE(reported);
    EXPECT_EQ(reported->kind, StoreError::Kind::corrupt);
    EXPECT_FALSE(check.has_passed());
}

TEST_F(StartChecks, EndAtOnceWhenTheServerStops) {
    for (int i = 0; i < 20; ++i) StartCheck check(file());
}

}  // namespace
}  // namespace patchbay
