#include "config/yaml_mistakes.hpp"

#include <yaml-cpp/exceptions.h>

namespace patchbay {
namespace {

constexpr std::string_view tab_message = "a tab in the indentation; YAML wants blanks there";
constexpr std::string_view quote_message = "this quote is not closed in its line";

struct KnownError {
    std::string_view begin, message, code;
};

/// The errors that need no look at the text around them.
const KnownError known_errors[] = {
    {YAML::ErrorMsg::TAB_IN_INDENTATION, tab_message, config_code::tab},
    {YAML::ErrorMsg::UNKNOWN_ANCHOR,
     "aliases (*name) are not used here; write the value again, or in quotes if it is a text",
     config_code::alias},
    {YAML::ErrorMsg::ALIAS_NOT_FOUND, "a text that begins with * has to stand in quotes",
     config_code::alias},
    {YAML::ErrorMsg::CHAR_IN_ALIAS, "a text that begins with * has to stand in quotes",
     config_code::alias},
    {YAML::ErrorMsg::ANCHOR_NOT_FOUND, "a text that begins with & has to stand in quotes",
     config_code::anchor},
    {YAML::ErrorMsg::CHAR_IN_ANCHOR, "a text that begins with & has to stand in quotes",
     config_code::anchor},
    {YAML::ErrorMsg::FLOW_END, "this bracket closes nothing", config_code::syntax},
    {YAML::ErrorMsg::BLOCK_ENTRY, "a list item cannot stand here; begin a new line for it",
     config_code::syntax},
    {YAML::ErrorMsg::INVALID_ESCAPE,
     "an unknown escape; in double quotes a backslash is written \\\\", config_code::syntax},
    {YAML::ErrorMsg::INVALID_HEX, "an escape that is not hexadecimal", config_code::syntax},
    {YAML::ErrorMsg::INVALID_UNICODE, "an escape of a character that does not exist",
     config_code::syntax},
};

size_t offset_of(const YAML::Mark& mark) { return static_cast<size_t>(std::max(mark.pos, 0)); }

bool has_tab_in_indentation(std::string_view line) {
    return line.substr(0, indentation_of(line)).find('\t') != std::string_view::npos;
}

int line_above(const SourceText& source, int line) {
    do --line;
    while (line > 0 && indentation_of(source.line(line)) == source.line(line).size());
    return line;
}

bool is_item(std::string_view line) {
    line.remove_prefix(indentation_of(line));
    return line == "-" || line.starts_with("- ");
}

bool has_colon(std::string_view line) {
    line = line.substr(0, line.find(" #"));
    return line.ends_with(':') || line.find(": ") != std::string_view::npos;
}

std::string_view line_before(const SourceText& source, size_t offset) {
    const std::string_view before = source.text().substr(0, offset);
    return before.substr(before.rfind('\n') + 1);
}

/// The first quote from `begin` on that is never closed; the end of the text if there is none.
size_t open_quote(std::string_view text, size_t begin) {
    for (size_t at = begin; (at = text.find_first_of("\"'", at)) < text.size();) {
        const bool may_begin =
            at == 0 || std::string_view(" \t\r\n[{,:").find(text[at - 1]) < std::string_view::npos;
        const size_t end = may_begin ? end_of_quoted(text, at) : at + 1;
        if (end == std::string_view::npos) return at;
        at = end;
    }
    return text.size();
}

/// A ':' where no key can be.
SyntaxMistake misplaced_key(const SourceText& source, size_t offset) {
    const Position at = source.position(offset);
    const std::string_view line = source.line(at.line);
    if (has_colon(line_before(source, offset))) {
        return {at, "a second \": \" in the line; put the text in quotes", config_code::syntax};
    }
    const int above = line_above(source, at.line);
    const Position key = source.first_in_line(at.line);
    if (above > 0 && indentation_of(line) > indentation_of(source.line(above))) {
        return {key, "is indented deeper than the line above, which has its value already",
                config_code::indentation};
    }
    if (above > 0 && !has_colon(source.line(above)) && !is_item(source.line(above))) {
        return {source.first_in_line(above), "expected \"key: value\"; the colon is missing",
                config_code::syntax};
    }
    return {key, "a key cannot stand here", config_code::syntax};
}

/// Something else than the next key or the next item.
SyntaxMistake misplaced_line(const SourceText& source, size_t offset, bool in_list) {
    const Position at = source.position(offset);
    const std::string_view line = source.line(at.line);
    const Position first = source.first_in_line(at.line);
    if (at.column > first.column) {
        return {at, "does not belong to the value before it; put the whole text in quotes",
                config_code::syntax};
    }
    if (!in_list && is_item(line) && !is_item(source.line(line_above(source, at.line)))) {
        return {at, "a list item where a key belongs", config_code::indentation};
    }
    return {at, "its indentation is that of no line above", config_code::indentation};
}

}  // namespace

SyntaxMistake explain(const YAML::Exception& error, const SourceText& source,
                      const ReadingState& state) {
    const size_t offset = offset_of(error.mark);
    const Position at = source.position(offset);
    const bool quote_ended_here = state.quote_end > 0 &&
                                  source.position(state.quote_end).line == at.line &&
                                  source.position(state.quote_begin).line < at.line;
    if (quote_ended_here) {
        return {source.position(state.quote_begin), std::string(quote_message),
                config_code::syntax};
    }
    if (error.msg == YAML::ErrorMsg::EOF_IN_SCALAR || error.msg == YAML::ErrorMsg::DOC_IN_SCALAR) {
        return {source.position(open_quote(source.text(), state.last_begin)),
                "this quote is not closed", config_code::syntax};
    }
    if (has_tab_in_indentation(source.line(at.line))) {
        return {{at.line, 1}, std::string(tab_message), config_code::tab};
    }
    for (const auto& known : known_errors) {
        if (error.msg.starts_with(known.begin)) return {at, std::string(known.message), known.code};
    }
    const bool in_brackets = error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW ||
                             error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW ||
                             (state.open_bracket && state.open_bracket->line < at.line);
    if (in_brackets && state.open_bracket) {
        return {*state.open_bracket, "this bracket is not closed, or a comma is missing after it",
                config_code::syntax};
    }
    if (error.msg == YAML::ErrorMsg::UNKNOWN_TOKEN && offset < source.text().size()) {
        return {at,
                std::string("a text that begins with ") + source.text()[offset] +
                    " has to stand in quotes",
                config_code::syntax};
    }
    if (error.msg == YAML::ErrorMsg::MAP_VALUE) return misplaced_key(source, offset);
    if (error.msg == YAML::ErrorMsg::END_OF_MAP) return misplaced_line(source, offset, false);
    if (error.msg == YAML::ErrorMsg::END_OF_SEQ) return misplaced_line(source, offset, true);
    return {at, in_message(error.msg), config_code::syntax};
}

size_t end_of_quoted(std::string_view text, size_t offset) {
    const char quote = text[offset];
    for (size_t i = offset + 1; i < text.size(); ++i) {
        if (text[i] == '\\' && quote == '"') {
            ++i;
        } else if (text[i] == quote) {
            const bool doubled = quote == '\'' && i + 1 < text.size() && text[i + 1] == quote;
            if (!doubled) return i + 1;
            ++i;
        }
    }
    return std::string_view::npos;
}

}  // namespace patchbay
