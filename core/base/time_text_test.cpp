#include "base/time_text.hpp"

#include <gtest/gtest.h>

namespace patchbay {

using namespace std::chrono_literals;

TEST(TimeText, WritesRfc3339InUtc) {
    EXPECT_EQ(rfc3339_ms(1'795'169'730'123), "2026-11-20T10:15:30.123Z");
    EXPECT_EQ(rfc3339_seconds(1'795'169'730'999), "2026-11-20T10:15:30Z");
    EXPECT_EQ(rfc3339_ms(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(rfc3339_ms(1'709'210'096'007), "2024-02-29T12:34:56.007Z");
}

TEST(TimeText, ReadsFractionsAndOffsets) {
    EXPECT_EQ(parse_rfc3339("2026-11-20T10:15:30.123Z"), 1'795'169'730'123);
    EXPECT_EQ(parse_rfc3339("2026-11-20T10:15:30Z"), 1'795'169'730'000);
    EXPECT_EQ(parse_rfc3339("2026-11-20t11:15:30.1239+01:00"), 1'795'169'730'123);
    EXPECT_EQ(parse_rfc3339("2026-11-20T04:45:30.5-05:30"), 1'795'169'730'500);
}

TEST(TimeText, ReadsTheDateOfHttp) {
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777'000);
    EXPECT_EQ(parse_http_date("Fri, 15 Jan 2027 08:00:00 GMT"), 1'800'000'000'000);
    for (const char* text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                             "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
                             "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT"}) {
        SCOPED_TRACE(text);
        EXPECT_EQ(parse_http_date(text), std::nullopt);
    }
}

TEST(TimeText, RefusesWhatIsNoTime) {
    for (const char* text :
         {"", "2026-11-20", "2026-11-20T10:15:30", "2026-13-20T10:15:30Z", "2026-02-30T10:15:30Z",
          "2026-11-20T24:00:00Z", "2026-11-20T10:60:00Z", "2026-11-20T10:15:30.Z",
          "2026-11-20T10:15:30Z ", "2026-11-20T10:15:30+1:00", "26-11-20T10:15:30Z"}) {
        SCOPED_TRACE(text);
        EXPECT_EQ(parse_rfc3339(text), std::nullopt);
    }
}

TEST(TimeText, ReadsDurationsWithAUnitOnly) {
    EXPECT_EQ(parse_duration("500ms"), 500ms);
    EXPECT_EQ(parse_duration("10s"), 10s);
    EXPECT_EQ(parse_duration("5m"), 5min);
    EXPECT_EQ(parse_duration("12h"), 12h);
    EXPECT_EQ(parse_duration("7d"), 168h);
    for (const char* text : {"", "10", "s", "-1s", "1.5s", "10 s", "10sec", "99999999999999999d"}) {
        SCOPED_TRACE(text);
        EXPECT_EQ(parse_duration(text), std::nullopt);
    }
}

TEST(TimeText, WritesDurationsInTheShortestForm) {
    EXPECT_EQ(duration_text(12h), "12h");
    EXPECT_EQ(duration_text(90s), "90s");
    EXPECT_EQ(duration_text(1500ms), "1500ms");
    EXPECT_EQ(duration_text(0ms), "0ms");
}

}  // namespace patchbay
