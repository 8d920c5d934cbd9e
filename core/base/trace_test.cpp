#include "base/trace.hpp"

#include <gtest/gtest.h>

#include <set>

namespace patchbay {
namespace {

const std::string id = "0af7651916cd43dd8448eb211c80319c", parent = "b7ad6b7169203331";
const std::string usual = "00-" + id + "-" + parent + "-01";

struct TraceCase {
    const char* name;
    std::string header, accepted;
};

const TraceCase trace_cases[] = {
    {"as W3C's example", usual, usual},
    {"not sampled", "00-" + id + "-" + parent + "-00", "00-" + id + "-" + parent + "-00"},
    {"flags of later versions", "00-" + id + "-" + parent + "-fb", usual},
    {"flags without sampled", "00-" + id + "-" + parent + "-fe", "00-" + id + "-" + parent + "-00"},
    {"a later version", "cc-" + id + "-" + parent + "-01", usual},
    {"a later version with more", "cc-" + id + "-" + parent + "-01-what-the-future", usual},
    {"a later version with more, no dash", "cc-" + id + "-" + parent + "-01.what", ""},
    {"version 00 with more", usual + "-more", ""},
    {"version ff", "ff-" + id + "-" + parent + "-01", ""},
    {"version in upper case", "CC-" + id + "-" + parent + "-01", ""},
    {"id in upper case", "00-0AF7651916cd43dd8448eb211c80319c-" + parent + "-01", ""},
    {"id of zeros", "00-" + std::string(32, '0') + "-" + parent + "-01", ""},
    {"parent of zeros", "00-" + id + "-" + std::string(16, '0') + "-01", ""},
    {"no hex", "00-" + id.substr(1) + "g-" + parent + "-01", ""},
    {"flags no hex", "00-" + id + "-" + parent + "-0x", ""},
    {"too short", usual.substr(1), ""},
    {"dash in the wrong place", "00-" + id + parent + "--01", ""},
    {"other separator", "00_" + id + "_" + parent + "_01", ""},
    {"with a blank", " " + usual, ""},
    {"two in one line", usual + ", " + usual, ""},
    {"empty", "", ""},
};

TEST(Trace, TakesOverExactlyWhatW3cSays) {
    for (const auto& [name, header, accepted] : trace_cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(accepted_traceparent(header), accepted);
    }
}

TEST(Trace, MakesIdsThatDifferAndAreAcceptedElsewhere) {
    std::set<std::string> ids;
    for (int i = 0; i < 1'000; ++i) {
        const std::string made = new_traceparent();
        EXPECT_EQ(accepted_traceparent(made), made);
        ids.insert(std::string(trace_id(made)));
    }
    EXPECT_EQ(ids.size(), 1'000u);
}

TEST(Trace, KeepsTheIdAndChangesTheSpanOnTheWayOn) {
    const std::string child = child_traceparent(usual);
    EXPECT_EQ(trace_id(child), id);
    EXPECT_NE(child.substr(36, 16), parent);
    EXPECT_EQ(child.substr(52), "-01");
    EXPECT_EQ(accepted_traceparent(child), child);
    EXPECT_EQ(accepted_traceparent(child_traceparent("req-17")).size(), 55u);
}

TEST(Trace, HasNoIdInOtherTexts) {
    EXPECT_EQ(trace_id(usual), id);
    EXPECT_EQ(trace_id("req-17"), "");
    EXPECT_EQ(trace_id(std::string(55, '-')), "");
}

}  // namespace
}  // namespace patchbay
