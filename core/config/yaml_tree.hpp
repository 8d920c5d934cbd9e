// YAML as a tree with positions, without the traps (S36): one document, no duplicate keys, aliases,
// anchors or tags, 32 levels, 1 MiB.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"

namespace patchbay {

struct YamlEntry;

/// One value. An empty one is where its key is: what follows it is no place to look for it.
struct YamlNode {
    enum class Kind { empty, scalar, list, map };
    Kind kind = Kind::empty;
    std::string text{};       ///< Of a scalar, as written: never turned into a number or a boolean.
    bool plain = false;       ///< A scalar without quotes.
    bool verbatim = false;    ///< The text stands in the file as it is, in one line.
    bool unreadable = false;  ///< Its mistake has been told; there is nothing to check.
    Position at{};
    std::vector<YamlNode> items{};
    std::vector<YamlEntry> entries;  // No initialiser: the type is not complete yet.

    const YamlEntry* find(std::string_view key) const;
    /// Of a byte of the text; `at` where the text does not stand in the file as it is.
    Position position_in(size_t offset) const;
};

struct YamlEntry {
    std::string key;
    Position at;
    YamlNode value;
};

struct YamlDocument {
    YamlNode root;
    int broken_line = 0;  ///< Where reading had to stop; 0: the whole text was read.
};

/// The tree of a text. What is wrong with it goes to `problems`; what could be read is returned.
YamlDocument read_yaml(std::string_view text, ConfigProblems& problems);

/// Bytes of a file, at most 1 MiB of them; throws ConfigError when it cannot be read or is larger.
std::string read_config_file(const std::filesystem::path& file);

/// Words of a plain scalar that YAML readers disagree about: "a number", "a boolean", "a date" or
/// "nothing"; empty for ordinary text.
std::string_view ambiguous_kind(std::string_view plain);

}  // namespace patchbay
