#include "app/problem_text.hpp"

#include <unistd.h>

#include <iostream>

#include "app/table.hpp"
#include "config/secrets.hpp"
#include "config/source_text.hpp"
#include "config/yaml_tree.hpp"

namespace patchbay {
namespace {

constexpr size_t most_chars = 120;  // Of a line of the file.

bool is_word(char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Nothing but ${...}, and what may stand around it.
bool is_put_in(std::string_view value) {
    while (!value.empty() && value[0] != '#') {
        const size_t end = value.starts_with("${") ? value.find('}') : 0;
        if (end == std::string_view::npos) return false;
        if (end == 0 && std::string_view(" \t[]{}\"',").find(value[0]) == std::string_view::npos) {
            return false;
        }
        value.remove_prefix(end + 1);
    }
    return true;
}

/// Where the value begins of the first key in a line that holds a secret by its name; npos: there
/// is none.
size_t secret_in(std::string_view line) {
    for (size_t colon = line.find(':'); colon < line.size(); colon = line.find(':', colon + 1)) {
        size_t end = colon;
        if (end > 0 && (line[end - 1] == '"' || line[end - 1] == '\'')) --end;
        size_t begin = end;
        while (begin > 0 && is_word(line[begin - 1])) --begin;
        if (!is_secret_key(line.substr(begin, end - begin))) continue;
        const size_t value = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
        if (!is_put_in(line.substr(value))) return value;
    }
    return std::string_view::npos;
}

size_t byte_of(std::string_view line, int column) {
    size_t at = 0;
    for (int left = column - 1; left > 0 && at < line.size(); --left) {
        do ++at;
        while (at < line.size() && (line[at] & 0xC0) == 0x80);
    }
    return at;
}

/// The line without what nobody has to read over a shoulder. What follows a secret goes with it:
/// where it ends is not certain in a line that has a mistake.
std::string safe_line(std::string_view line, const ConfigProblem& problem) {
    size_t hide = secret_in(line);
    const size_t place = byte_of(line, problem.column);
    const bool may_be_value = is_secret_key(problem.path) && !is_put_in(line.substr(place)) &&
                              line.find(": ", place) == std::string_view::npos;
    if (may_be_value) hide = std::min(hide, place);
    if (hide >= line.size()) return without_password(std::string(line));
    return std::string(line.substr(0, hide)) + std::string(hidden_secret);
}

void print_place(std::ostream& out, const ConfigProblem& problem, const SourceText& source) {
    if (problem.line < 1 || problem.line > source.line_count()) return;
    std::string line = printable(safe_line(source.line(problem.line), problem));
    // A mark in what is hidden stands below its begin.
    const size_t shown = char_count(line) - (line.ends_with(hidden_secret) ? 2 : 0);
    auto column = std::min(static_cast<size_t>(problem.column), shown + 1);
    if (column > most_chars / 2 && char_count(line) > most_chars) {
        const size_t cut = column - most_chars / 2;
        line = "..." + line.substr(byte_of(line, static_cast<int>(cut) + 1));
        column -= cut - 3;
    }
    line = in_message(line, most_chars);
    const std::string number = std::to_string(problem.line);
    const std::string blanks(number.size(), ' ');
    out << "  " << number << " | " << line << '\n';
    out << "  " << blanks << " | " << std::string(column - 1, ' ') << "^\n";
}

}  // namespace

void print_problems(std::ostream& out, const std::vector<ConfigProblem>& problems,
                    std::string_view text) {
    const SourceText source(text);
    for (const auto& problem : problems) {
        out << problem.text() << '\n';
        if (!text.empty()) print_place(out, problem, source);
    }
}

bool is_terminal(const std::ostream& stream) {
    return &stream == &std::cerr && ::isatty(STDERR_FILENO);
}

void print_problems_to_person(std::ostream& stream, const std::vector<ConfigProblem>& problems) {
    std::string text;
    try {
        const bool has_file = !problems.empty() && problems.front().line > 0;
        if (has_file && is_terminal(stream)) text = read_config_file(problems.front().file);
    } catch (const ConfigError&) {  // The file went away meanwhile: the lines have to do.
    }
    print_problems(stream, problems, text);
}

}  // namespace patchbay
