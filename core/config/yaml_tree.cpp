#include "config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <cstring>
#include <fstream>

#include "base/json.hpp"
#include "base/time_text.hpp"

namespace patchbay {
namespace {

constexpr size_t max_file_bytes = 1 << 20;
constexpr size_t max_depth = 32;

Position position(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1}; }

/// Leaves yaml-cpp's parser; the problem has been noted.
struct Abandon {};

bool all_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool has_leading_zero(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    return text.size() > 1 && text[0] == '0' && all_digits(text);
}

bool is_number(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    if (text.substr(0, 2) == "0x" || text.substr(0, 2) == "0o") return text.size() > 2;
    const size_t dot = text.find('.');
    if (dot == std::string_view::npos) return all_digits(text);
    return all_digits(text.substr(0, dot)) &&
           (dot + 1 == text.size() || all_digits(text.substr(dot + 1)));
}

/// Builds the tree from yaml-cpp's events: with YAML::Node, aliases and duplicate keys would be
/// gone already.
class TreeBuilder final : public YAML::EventHandler {
public:
    explicit TreeBuilder(ConfigProblems& problems) : problems_(problems) {}
    YamlNode take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) refuse(mark, "a second document; a configuration file has one");
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        place({.kind = YamlNode::Kind::empty, .at = position(mark)});
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        refuse(mark, "aliases (*name) are not used here; write the value again");
    }
    void OnAnchor(const YAML::Mark& mark, const std::string&) override {
        refuse(mark, "anchors (&name) are not used here; write the value again");
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  const std::string& value) override {
        check_tag(mark, tag);
        const bool plain = tag == "?";
        if (plain && has_leading_zero(value)) {
            problems_.add(position(mark), path(),
                          "the number " + value + " begins with 0; quote it if it is a text");
        }
        place(
            {.kind = YamlNode::Kind::scalar, .text = value, .plain = plain, .at = position(mark)});
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                         YAML::EmitterStyle::value) override {
        check_tag(mark, tag);
        open({.kind = YamlNode::Kind::list, .at = position(mark)}, mark);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                    YAML::EmitterStyle::value) override {
        check_tag(mark, tag);
        open({.kind = YamlNode::Kind::map, .at = position(mark)}, mark);
    }
    void OnMapEnd() override { close(); }

private:
    struct Level {
        YamlNode node;
        bool has_key = false;
        bool duplicate = false;
        std::string key{};
        Position key_at{};
    };

    [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& message) {
        problems_.add(position(mark), path(), message);
        throw Abandon{};
    }
    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        if (!tag.empty() && tag != "?" && tag != "!")
            refuse(mark, "tags (!name) are not used here");
    }

    void open(YamlNode node, const YAML::Mark& mark) {
        if (!levels_.empty() && expects_key()) refuse(mark, "a key must be a word");
        if (levels_.size() == max_depth) refuse(mark, "nested more than 32 levels deep");
        levels_.push_back({.node = std::move(node)});
    }
    void close() {
        YamlNode node = std::move(levels_.back().node);
        levels_.pop_back();
        place(std::move(node));
    }
    bool expects_key() const {
        return levels_.back().node.kind == YamlNode::Kind::map && !levels_.back().has_key;
    }

    void place(YamlNode node) {
        if (levels_.empty()) {
            root_ = std::move(node);
            return;
        }
        Level& level = levels_.back();
        if (level.node.kind == YamlNode::Kind::list) {
            level.node.items.push_back(std::move(node));
        } else if (!level.has_key) {
            take_key(level, node);
        } else {
            if (!level.duplicate) {
                level.node.entries.push_back({level.key, level.key_at, std::move(node)});
            }
            level.has_key = false;
        }
    }
    void take_key(Level& level, const YamlNode& node) {
        if (node.kind != YamlNode::Kind::scalar) {
            problems_.add(node.at, path(), "a key must be a word");
        }
        const YamlEntry* first = level.node.find(node.text);
        level.duplicate = first != nullptr;
        level.key = node.text;
        level.key_at = node.at;
        level.has_key = true;
        if (first) {
            problems_.add(node.at, path(),
                          "is here twice; the first is in line " + std::to_string(first->at.line));
        }
    }

    std::string path() const {
        std::string out;
        for (const Level& level : levels_) {
            if (level.node.kind == YamlNode::Kind::list) {
                out += "[" + std::to_string(level.node.items.size()) + "]";
            } else if (level.has_key) {
                out += (out.empty() ? "" : ".") + level.key;
            }
        }
        return out;
    }

    ConfigProblems& problems_;
    std::vector<Level> levels_;
    YamlNode root_;
    int documents_ = 0;
};

bool is_utf8(std::string_view text, Position& bad) {
    bad = {1, 1};
    while (!text.empty()) {
        const size_t size = utf8_char_size(text);
        if (size == 0 || text[0] == '\0') return false;
        bad = text[0] == '\n' ? Position{bad.line + 1, 1} : Position{bad.line, bad.column + 1};
        text.remove_prefix(size);
    }
    return true;
}

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const {
    for (const YamlEntry& entry : entries) {
        if (entry.key == key) return &entry;
    }
    return nullptr;
}

void ConfigProblems::add(Position at, std::string path, std::string message) {
    problems_.push_back({file_, at.line, at.column, std::move(path), std::move(message)});
}

void ConfigProblems::throw_if_any() {
    if (problems_.empty()) return;
    std::stable_sort(problems_.begin(), problems_.end(), [](const auto& a, const auto& b) {
        return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    throw ConfigError(problems_);
}

YamlNode read_yaml(std::string_view text, ConfigProblems& problems) {
    Position bad;
    if (!is_utf8(text, bad)) {
        problems.add(bad, "", "is not UTF-8 text");
        return {};
    }
    TreeBuilder builder(problems);
    std::istringstream in{std::string(text)};
    try {
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Abandon&) {
    } catch (const YAML::Exception& error) {
        problems.add(position(error.mark), "", error.msg);
    }
    return builder.take();
}

std::string read_config_file(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string text(max_file_bytes + 1, '\0');
    if (!in || std::filesystem::is_directory(file)) {
        const int reason = errno ? errno : ENOENT;
        throw ConfigError({{file.string(), 0, 0, "", std::strerror(reason)}});
    }
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(in.gcount()));
    if (text.size() > max_file_bytes) {
        throw ConfigError({{file.string(), 0, 0, "", "is larger than 1 MiB"}});
    }
    return text;
}

std::string_view ambiguous_kind(std::string_view plain) {
    std::string lower(plain);
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
    for (const char* word : {"true", "false", "yes", "no", "on", "off", "y", "n"}) {
        if (lower == word) return "a boolean";
    }
    if (lower == "null" || lower == "~") return "nothing";
    if (is_number(plain)) return "a number";
    if (parse_rfc3339(std::string(plain) + "T00:00:00Z")) return "a date";
    return {};
}

}  // namespace patchbay
