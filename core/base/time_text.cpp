#include "base/time_text.hpp"

#include <array>
#include <charconv>
#include <cstdio>

namespace patchbay {
namespace {

struct Unit {
    std::string_view word;
    int64_t ms;
};
constexpr Unit units[] = {
    {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};

std::string format(TimeMs at, bool with_ms) {
    using namespace std::chrono;
    const sys_time<milliseconds> time{milliseconds{at}};
    const auto day = floor<days>(time);
    const year_month_day date{day};
    const hh_mm_ss clock{time - day};
    std::array<char, 40> out{};
    const int size =
        std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02d", int(date.year()),
                      unsigned(date.month()), unsigned(date.day()), int(clock.hours().count()),
                      int(clock.minutes().count()), int(clock.seconds().count()));
    std::string text(out.data(), static_cast<size_t>(size));
    if (with_ms) {
        std::array<char, 8> fraction{};
        std::snprintf(fraction.data(), fraction.size(), ".%03d",
                      int(clock.subseconds().count() % 1000));
        text += fraction.data();
    }
    return text + 'Z';
}

/// Reads fixed-width numbers and single characters from the front.
struct Scanner {
    std::string_view rest;
    bool fine = true;

    int number(size_t digits) {
        int value = 0;
        if (rest.size() < digits) return fail();
        for (const char c : rest.substr(0, digits)) {
            if (c < '0' || c > '9') return fail();
            value = value * 10 + (c - '0');
        }
        rest.remove_prefix(digits);
        return value;
    }
    bool take(std::string_view any_of) {
        if (rest.empty() || any_of.find(rest[0]) == std::string_view::npos) return false;
        rest.remove_prefix(1);
        return true;
    }
    void require(std::string_view any_of) {
        if (!take(any_of)) fail();
    }
    int fail() {
        fine = false;
        return 0;
    }
};

int fraction_ms(Scanner& in) {
    int value = 0;
    int digits = 0;
    while (!in.rest.empty() && in.rest[0] >= '0' && in.rest[0] <= '9') {
        if (digits < 3) value = value * 10 + (in.rest[0] - '0');
        ++digits;
        in.rest.remove_prefix(1);
    }
    if (digits == 0) in.fail();
    for (; digits < 3; ++digits) value *= 10;
    return value;
}

/// Minutes east of UTC.
int zone_minutes(Scanner& in) {
    if (in.take("Zz")) return 0;
    const bool west = !in.rest.empty() && in.rest[0] == '-';
    in.require("+-");
    const int hours = in.number(2);
    in.require(":");
    const int minutes = in.number(2);
    if (hours > 23 || minutes > 59) in.fail();
    return (west ? -1 : 1) * (hours * 60 + minutes);
}

}  // namespace

std::string rfc3339_ms(TimeMs at) { return format(at, true); }
std::string rfc3339_seconds(TimeMs at) { return format(at, false); }

std::optional<TimeMs> parse_rfc3339(std::string_view text) {
    using namespace std::chrono;
    Scanner in{text};
    const int y = in.number(4);
    in.require("-");
    const int m = in.number(2);
    in.require("-");
    const int d = in.number(2);
    in.require("Tt ");
    const int hour = in.number(2);
    in.require(":");
    const int minute = in.number(2);
    in.require(":");
    const int second = in.number(2);
    const int ms = in.take(".") ? fraction_ms(in) : 0;
    const int zone = zone_minutes(in);
    const year_month_day date{year{y}, month{unsigned(m)}, day{unsigned(d)}};
    if (!in.fine || !in.rest.empty() || !date.ok() || hour > 23 || minute > 59 || second > 60) {
        return std::nullopt;
    }
    const auto at =
        sys_days{date} + hours{hour} + minutes{minute - zone} + seconds{second} + milliseconds{ms};
    return at.time_since_epoch().count();
}

std::optional<TimeMs> parse_http_date(std::string_view text) {
    using namespace std::chrono;
    static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != 29) return std::nullopt;
    const size_t m = months.find(text.substr(8, 3));
    Scanner in{text.substr(5, 2)};
    const int d = in.number(2);
    in.rest = text.substr(11);
    in.require(" ");
    const int y = in.number(4);
    in.require(" ");
    const int hour = in.number(2);
    in.require(":");
    const int minute = in.number(2);
    in.require(":");
    const int second = in.number(2);
    if (!in.fine || in.rest != " GMT" || m == std::string_view::npos || m % 3 != 0)
        return std::nullopt;
    const year_month_day date{year{y}, month{static_cast<unsigned>(m / 3 + 1)}, day{unsigned(d)}};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
    const auto at = sys_days{date} + hours{hour} + minutes{minute} + seconds{second};
    return milliseconds{at.time_since_epoch()}.count();
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
    int64_t count = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, count);
    if (error != std::errc{} || count < 0 || text.empty() || text[0] == '-') return std::nullopt;
    const std::string_view word(rest, static_cast<size_t>(end - rest));
    for (const auto& unit : units) {
        if (unit.word != word) continue;
        if (count > INT64_MAX / unit.ms) return std::nullopt;
        return std::chrono::milliseconds{count * unit.ms};
    }
    return std::nullopt;
}

std::string duration_text(std::chrono::milliseconds value) {
    for (const auto& unit : units) {
        if (value.count() && value.count() % unit.ms == 0) {
            return std::to_string(value.count() / unit.ms) + std::string(unit.word);
        }
    }
    return std::to_string(value.count()) + "ms";
}

}  // namespace patchbay
