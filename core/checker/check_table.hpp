// Every check there is: its number, its name, what it asks and what to do when it fails.
// docs/plugin_check.md says more about each.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace patchbay::checker {

enum class Result { passed, warned, failed, skipped };
std::string_view word(Result result);

/// What one check found. `text` is a sentence; empty when it passed.
struct Verdict {
    Result result = Result::passed;
    std::string text;
};

/// Stops the check that throws it.
struct Failed {
    std::string text;
};
/// The check could not be made: `text` says what it would take.
struct Skipped {
    std::string text;
};

struct CheckInfo {
    std::string_view id;  ///< K.. looks at the file, D.. runs the plugin
    std::string_view name;
    std::string_view asks;
    std::string_view remedy;  ///< One line.

    bool is_static() const { return id.front() == 'K'; }
};

/// In the order in which they run.
std::span<const CheckInfo> all_checks();
/// By id or name; nullptr when there is none.
const CheckInfo* find_check(std::string_view id_or_name);

}  // namespace patchbay::checker
