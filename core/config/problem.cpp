#include "config/problem.hpp"

#include <algorithm>
#include <numeric>

namespace patchbay {
namespace {

constexpr size_t longest_path = 200;

std::string joined(const std::vector<ConfigProblem>& problems) {
    std::string out;
    for (const auto& problem : problems) out += (out.empty() ? "" : "\n") + problem.text();
    return out;
}

bool is_continuation(char byte) { return (byte & 0xC0) == 0x80; }

/// Optimal string alignment: a swap of neighbours is one slip, not two.
size_t slips_between(std::string_view a, std::string_view b) {
    std::vector<size_t> before, above(b.size() + 1), row(b.size() + 1);
    std::iota(above.begin(), above.end(), size_t{0});
    for (size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (size_t j = 1; j <= b.size(); ++j) {
            row[j] =
                std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = above;
        std::swap(above, row);
    }
    return above.back();
}

}  // namespace

std::string ConfigProblem::text() const {
    std::string out = file;
    if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
    if (is_warning) out += ": warning";
    if (!path.empty()) out += ": " + path;
    return out + ": " + message;
}

ConfigError::ConfigError(std::vector<ConfigProblem> problems_)
    : std::runtime_error(joined(problems_)), problems(std::move(problems_)) {}

void ConfigProblems::add(ConfigProblem problem) {
    const bool is_cut =
        broken_line_ > 0 && (problem.line >= broken_line_ || problem.code == config_code::missing ||
                             problem.code == config_code::instance);
    if (is_cut) return;
    problem.file = file_;
    problem.path = in_message(problem.path, longest_path);
    auto place = std::tuple(problem.line, problem.column, problem.path);
    if (problem.is_warning) {
        warnings_.try_emplace(std::move(place), std::move(problem));
        return;
    }
    // Several keys may be missing in one place.
    const bool stands_alone = problem.code != config_code::missing;
    if (!stands_alone || told_.insert(std::move(place)).second) {
        problems_.push_back(std::move(problem));
    }
}

void ConfigProblems::add(Position at, std::string path, std::string message, std::string_view code,
                         std::string hint) {
    add({.line = at.line,
         .column = at.column,
         .path = std::move(path),
         .message = std::move(message),
         .code = std::string(code),
         .hint = std::move(hint)});
}

void ConfigProblems::warn(Position at, std::string path, std::string message,
                          std::string_view code) {
    add({.line = at.line,
         .column = at.column,
         .path = std::move(path),
         .message = std::move(message),
         .code = std::string(code),
         .is_warning = true});
}

std::vector<ConfigProblem> ConfigProblems::sorted() const {
    std::vector<ConfigProblem> all = problems_;
    for (const auto& [place, warning] : warnings_) {
        if (!told_.contains(place)) all.push_back(warning);
    }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
        return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    return all;
}

void ConfigProblems::throw_if_any() const {
    if (problems_.empty()) return;
    std::vector<ConfigProblem> errors = sorted();
    std::erase_if(errors, [](const ConfigProblem& one) { return one.is_warning; });
    throw ConfigError(std::move(errors));
}

std::string in_message(std::string_view text, size_t longest) {
    std::string out;
    size_t chars = 0;
    for (const char c : text) {
        if (!is_continuation(c) && ++chars > longest) return out + "...";
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            out += "\\n";
        } else if (c == '\t') {
            out += "\\t";
        } else if (byte < 0x20 || byte == 0x7F) {
            out += '?';
        } else {
            out += c;
        }
    }
    return out;
}

std::string in_quotes(std::string_view text) { return '"' + in_message(text) + '"'; }

size_t char_count(std::string_view text) {
    return text.size() -
           static_cast<size_t>(std::count_if(text.begin(), text.end(), is_continuation));
}

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
    constexpr size_t longest_key = 64;  // Beyond, it is no slip of the hand.
    if (word.size() > longest_key) return {};
    std::string best;
    size_t least = std::max<size_t>(1, word.size() / 3) + 1;
    for (const auto& candidate : known) {
        const size_t slips = slips_between(word, candidate);
        if (slips >= least) continue;
        least = slips;
        best = candidate;
    }
    return best;
}

std::string suggestion(std::string_view near) {
    return near.empty() ? "" : ", did you mean " + in_quotes(near) + "?";
}

}  // namespace patchbay
