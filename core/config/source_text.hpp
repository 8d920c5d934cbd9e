// The text of a configuration file by lines and characters.
#pragma once
#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace patchbay {

/// A view: the text has to outlive it. For one thread. UTF-8; a byte order mark at its begin is
/// left out.
class SourceText {
public:
    explicit SourceText(std::string_view text);

    std::string_view text() const { return text_; }
    /// Without its end; empty beyond the last one. Lines count from 1.
    std::string_view line(int number) const;
    int line_count() const { return static_cast<int>(starts_.size()); }
    Position position(size_t offset) const;  ///< Of a byte; behind the last word: its end.
    int line_of(size_t offset) const;
    /// The first character of a line that is no blank and no tab.
    Position first_in_line(int number) const;

private:
    std::string_view text_;
    size_t end_;  ///< Of the last word.
    std::vector<size_t> starts_;
    /// Where the last look ended: places are asked for in their order, and a line can be long.
    mutable size_t seen_start_ = 0, seen_offset_ = 0, seen_chars_ = 0;
};

/// Bytes of blanks and tabs that a line begins with.
size_t indentation_of(std::string_view line);

/// Where the first byte is that no configuration may have: invalid UTF-8, or a control character
/// other than tab and line end. False: there is none.
bool find_bad_byte(std::string_view text, Position& at, std::string& message);

}  // namespace patchbay
