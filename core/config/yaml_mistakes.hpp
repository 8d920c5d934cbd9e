// What yaml-cpp's errors mean for the one who wrote the file.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "config/source_text.hpp"

namespace YAML {
class Exception;
}

namespace patchbay {

/// Where the reading was when it failed.
struct ReadingState {
    std::optional<Position> open_bracket;   ///< The innermost { or [ that is not closed.
    size_t last_begin = 0;                  ///< Byte of the last text, list or map.
    size_t quote_begin = 0, quote_end = 0;  ///< Bytes of the last text in quotes; 0, 0: none.
};

struct SyntaxMistake {
    Position at;
    std::string message;
    std::string_view code;
};

SyntaxMistake explain(const YAML::Exception& error, const SourceText& source,
                      const ReadingState& state);

/// The byte after the closing quote of the text in quotes that begins at `offset`; npos: there is
/// none.
size_t end_of_quoted(std::string_view text, size_t offset);

}  // namespace patchbay
