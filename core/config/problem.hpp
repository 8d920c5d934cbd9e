// Mistakes of a configuration file: where each one is, what was expected, what to write instead.
#pragma once
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace patchbay {

/// Lines and columns count from 1; a column is a character, not a byte. 0: not in the file.
struct Position {
    int line = 0, column = 0;
};

/// One mistake of a file. All texts are one line without control bytes, and never hold a secret.
struct ConfigProblem {
    std::string file;
    int line = 0, column = 0;
    std::string path;          ///< plugins.sms.config.auth_token
    std::string message;       ///< what was expected
    std::string code{};        ///< one of config_code
    std::string hint{};        ///< what to write instead, where the hub can tell
    bool is_warning = false;   ///< told, but the hub starts
    std::string text() const;  ///< file:line:column: path: message
};

/// What kind of mistake it is, for scripts and editors.
namespace config_code {
inline constexpr std::string_view address = "address", alias = "alias", anchor = "anchor",
                                  choice = "choice", department = "department",
                                  development_only = "development_only", duplicate = "duplicate",
                                  duration = "duration", encoding = "encoding", file = "file",
                                  indentation = "indentation", instance = "instance",
                                  literal_secret = "literal_secret", missing = "missing",
                                  missing_value = "missing_value", name = "name",
                                  nesting = "nesting", octal = "octal", placeholder = "placeholder",
                                  plugin = "plugin", range = "range", same_path = "same_path",
                                  second_document = "second_document", secret_file = "secret_file",
                                  size = "size", syntax = "syntax", tab = "tab", tag = "tag",
                                  type = "type", unknown_key = "unknown_key",
                                  unknown_plugin = "unknown_plugin", unquoted = "unquoted",
                                  unset_variable = "unset_variable", url = "url", value = "value";
}

/// All mistakes at once; what() has one to a line.
struct ConfigError : std::runtime_error {
    explicit ConfigError(std::vector<ConfigProblem> problems);
    std::vector<ConfigProblem> problems;
};

/// Gathers the mistakes of one file. One is told once: what is found later about the same place is
/// left out.
class ConfigProblems {
public:
    explicit ConfigProblems(std::string file) : file_(std::move(file)) {}

    void add(Position at, std::string path, std::string message,
             std::string_view code = config_code::value, std::string hint = {});
    void warn(Position at, std::string path, std::string message, std::string_view code);
    void add(ConfigProblem problem);

    /// In the order of the file. No warning where there is an error.
    std::vector<ConfigProblem> sorted() const;
    /// Throws ConfigError with the errors, in the order of the file, if there is one.
    void throw_if_any() const;
    /// The file could not be read from `line` on: what is found from now on counts only before it,
    /// and nothing is missing. 0: all was read.
    void stop_at(int line) { broken_line_ = line; }

private:
    std::string file_;
    int broken_line_ = 0;
    using Place = std::tuple<int, int, std::string>;
    std::vector<ConfigProblem> problems_;
    std::map<Place, ConfigProblem> warnings_;
    std::set<Place> told_;
};

/// Text of others, made fit for a message: one line, no control bytes, cut at `longest` characters.
std::string in_message(std::string_view text, size_t longest = 80);
/// The same in double quotes.
std::string in_quotes(std::string_view text);

/// Characters of UTF-8 text.
size_t char_count(std::string_view text);

/// The nearest of `known` when it is near enough to be a slip of the hand; else empty.
std::string nearest(std::string_view word, const std::vector<std::string>& known);
/// `, did you mean "near"?`; empty when there is none.
std::string suggestion(std::string_view near);

}  // namespace patchbay
