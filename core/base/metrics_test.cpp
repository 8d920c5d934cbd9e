#include "base/metrics.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace patchbay {
namespace {

using namespace std::chrono_literals;

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

const Family<Counter> letters{"test_letters_total", "Letters, \"A\\B\"\nand so on.", {"kind"}};
const Family<Counter> bounded{"test_bounded_total", "Three at most.", {"kind", "size"}, 3};
const Family<Counter> shared{"test_shared_total", "Counted by many threads.", {"thread"}};
const Family<Gauge> level{"test_level", "Goes up and down."};
const Family<Histogram> waits{"test_wait_seconds", "How long.", {"queue"}};
const Pulled asked{Pulled::gauge, "test_asked", "Asked for.", {"state"}};

TEST(Metrics, ShowsCountersWithEscapedLabelsAndHelp) {
    letters.with({"plain"}).add(2);
    letters.with({"a\"b\\c\nd"}).add();
    const std::string text = metrics_text();
    EXPECT_TRUE(has_line(text, "# HELP test_letters_total Letters, \"A\\\\B\"\\nand so on."));
    EXPECT_TRUE(has_line(text, "# TYPE test_letters_total counter"));
    EXPECT_TRUE(has_line(text, "test_letters_total{kind=\"plain\"} 2"));
    EXPECT_TRUE(has_line(text, "test_letters_total{kind=\"a\\\"b\\\\c\\nd\"} 1"));
}

TEST(Metrics, ShowsAGaugeWithoutLabels) {
    level.with({}).set(5);
    level.with({}).add(-7);
    EXPECT_TRUE(has_line(metrics_text(), "test_level -2"));
}

TEST(Metrics, CountsADurationInEveryBucketFromItsOwnOn) {
    Histogram& mail = waits.with({"mail"});
    mail.observe(100us);  // On the edge: le is "less or equal".
    mail.observe(3ms);
    mail.observe(-1s);
    mail.observe(2min);
    const std::string text = metrics_text();
    EXPECT_TRUE(has_line(text, "test_wait_seconds_bucket{queue=\"mail\",le=\"0.0001\"} 2"));
    EXPECT_TRUE(has_line(text, "test_wait_seconds_bucket{queue=\"mail\",le=\"0.0025\"} 2"));
    EXPECT_TRUE(has_line(text, "test_wait_seconds_bucket{queue=\"mail\",le=\"0.005\"} 3"));
    EXPECT_TRUE(has_line(text, "test_wait_seconds_bucket{queue=\"mail\",le=\"60\"} 3"));
    EXPECT_TRUE(has_line(text, "test_wait_seconds_bucket{queue=\"mail\",le=\"+Inf\"} 4"));
    EXPECT_TRUE(has_line(text, "test_wait_seconds_count{queue=\"mail\"} 4"));
    EXPECT_TRUE(has_line(text, "test_wait_seconds_sum{queue=\"mail\"} 120.0031"));
}

TEST(Metrics, PutsWhatIsOverTheBoundIntoOneOtherSeriesAndSaysSo) {
    for (int i = 0; i < 10; ++i) bounded.with({"k", std::to_string(i)}).add();
    bounded.with({"k", "1"}).add();
    (void)metrics_text();  // What overflowed is seen while the families are written.
    const std::string text = metrics_text();
    EXPECT_TRUE(has_line(text, "test_bounded_total{kind=\"k\",size=\"1\"} 2"));
    EXPECT_TRUE(has_line(text, "test_bounded_total{kind=\"other\",size=\"other\"} 7"));
    EXPECT_EQ(text.find("size=\"3\""), std::string::npos);
    EXPECT_TRUE(has_line(text, "patchbay_metrics_overflow_total{family=\"test_bounded_total\"} 7"));
}

TEST(Metrics, AsksForWhatPartsKnowAnyway) {
    const std::string text = metrics_text([](Samples& samples) {
        samples.add(asked, {"up"}, 1);
        samples.add(asked, {"up"}, 2);
    });
    EXPECT_TRUE(has_line(text, "test_asked{state=\"up\"} 3"));
    EXPECT_TRUE(has_line(metrics_text(), "# TYPE test_asked gauge")) << "also without a value";
}

TEST(Metrics, LosesNoCountOfManyThreads) {
    constexpr int rounds = 20'000;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < rounds; ++i) shared.with({std::to_string(i % 50)}).add();
        });
    for (auto& thread : threads) thread.join();
    uint64_t sum = 0;
    for (int i = 0; i < 50; ++i) sum += shared.with({std::to_string(i)}).value();
    EXPECT_EQ(sum, 4u * rounds);
}

TEST(Metrics, WritesFamiliesInTheOrderOfTheirNames) {
    const std::string text = metrics_text();
    EXPECT_LT(text.find("# HELP test_asked"), text.find("# HELP test_bounded_total"));
    EXPECT_LT(text.find("# HELP test_bounded_total"), text.find("# HELP test_letters_total"));
}

TEST(Metrics, TakesNoSecondFamilyOfOneNameAndNoWrongNumberOfValues) {
    EXPECT_THROW(Family<Counter>("test_letters_total", "Again."), std::logic_error);
    EXPECT_THROW(letters.with({"a", "b"}), std::logic_error);
}

}  // namespace
}  // namespace patchbay
