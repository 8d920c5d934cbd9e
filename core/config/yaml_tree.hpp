// YAML as a tree with positions, without the traps (S36): one document, no duplicate keys, aliases,
// anchors or tags, 32 levels, 1 MiB.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "config/hub_config.hpp"

namespace patchbay {

struct YamlEntry;

/// One value. Lines and columns count from 1.
struct YamlNode {
    enum class Kind { empty, scalar, list, map };
    Kind kind = Kind::empty;
    std::string text{};  ///< Of a scalar, as written: never turned into a number or a boolean.
    bool plain = false;  ///< A scalar without quotes.
    Position at{};
    std::vector<YamlNode> items{};
    std::vector<YamlEntry> entries;  // No initialiser: the type is not complete yet.

    const YamlEntry* find(std::string_view key) const;
};

struct YamlEntry {
    std::string key;
    Position at;
    YamlNode value;
};

/// Gathers the mistakes of one file.
class ConfigProblems {
public:
    explicit ConfigProblems(std::string file) : file_(std::move(file)) {}
    void add(Position at, std::string path, std::string message);
    bool empty() const { return problems_.empty(); }
    /// Throws ConfigError with all, in the order of the file, if there is one.
    void throw_if_any();

private:
    std::string file_;
    std::vector<ConfigProblem> problems_;
};

/// The tree of a text. What is wrong with it goes to `problems`; what could be read is returned.
YamlNode read_yaml(std::string_view text, ConfigProblems& problems);

/// Bytes of a file, at most 1 MiB of them; throws ConfigError when it cannot be read or is larger.
std::string read_config_file(const std::filesystem::path& file);

/// Words of a plain scalar that YAML readers disagree about: "a number", "a boolean", "a date" or
/// "nothing"; empty for ordinary text.
std::string_view ambiguous_kind(std::string_view plain);

}  // namespace patchbay
