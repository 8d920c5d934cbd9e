#include "config/yaml_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <cstring>
#include <fstream>

#include "base/time_text.hpp"
#include "config/secrets.hpp"
#include "config/yaml_mistakes.hpp"

namespace patchbay {
namespace {

constexpr size_t max_file_bytes = 1 << 20;
constexpr size_t max_depth = 32;

/// Leaves yaml-cpp's parser; the problem has been noted.
struct Abandon {};

bool has_only(std::string_view text, std::string_view characters) {
    return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

bool all_digits(std::string_view text) { return has_only(text, "0123456789"); }

std::string_view without_sign(std::string_view text) {
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    return text;
}

bool has_leading_zero(std::string_view text) {
    text = without_sign(text);
    return text.size() > 1 && text[0] == '0' && all_digits(text);
}

/// 190:20:30 and 22:22 are numbers of base 60 to older readers.
bool is_sexagesimal(std::string_view text) {
    return text.find(':') != std::string_view::npos && has_only(text, "0123456789:") &&
           text.front() != ':' && text.back() != ':' && text.find("::") == std::string_view::npos;
}

bool is_float(std::string_view text) {
    const size_t exponent = text.find_first_of("eE");
    if (exponent != std::string_view::npos) {
        if (!all_digits(without_sign(text.substr(exponent + 1)))) return false;
        text = text.substr(0, exponent);
    }
    const size_t dot = text.find('.');
    if (dot == std::string_view::npos) return all_digits(text);
    const auto whole = text.substr(0, dot), part = text.substr(dot + 1);
    return (whole.empty() || all_digits(whole)) && (part.empty() || all_digits(part)) &&
           !(whole.empty() && part.empty());
}

bool is_number(std::string_view text) {
    text = without_sign(text);
    if (text.starts_with("0x")) return has_only(text.substr(2), "0123456789abcdefABCDEF_");
    if (text.starts_with("0o")) return has_only(text.substr(2), "01234567");
    if (text.starts_with("0b")) return has_only(text.substr(2), "01_");
    if (text == ".inf" || text == ".Inf" || text == ".INF") return true;
    if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
    if (!text.empty() && text[0] != '_' && has_only(text, "0123456789_")) return true;
    return is_float(text) || is_sexagesimal(text);
}

/// Builds the tree from yaml-cpp's events: with YAML::Node, aliases and duplicate keys would be
/// gone already.
class TreeBuilder final : public YAML::EventHandler {
public:
    TreeBuilder(const SourceText& source, ConfigProblems& problems)
        : source_(source), problems_(problems) {}

    /// The tree as far as it was read. A key whose value was not reached is left out.
    YamlDocument take() {
        while (!levels_.empty()) {
            levels_.back().has_key = false;
            close();
        }
        return {std::move(root_), broken_line_};
    }
    void note(const YAML::Exception& error) {
        if (!levels_.empty() && last_goes_on_) spoil_last(levels_.back().node);
        const SyntaxMistake mistake = explain(error, source_, state());
        problems_.add(mistake.at, "", mistake.message, mistake.code);
        broken_line_ = mistake.at.line;
    }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (++documents_ > 1) refuse_second_document(mark);
    }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
        place({.kind = YamlNode::Kind::empty, .at = at(mark)}, offset(mark));
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        add(mark, "aliases (*name) are not used here; write the value again", config_code::alias);
        place({.kind = YamlNode::Kind::scalar, .unreadable = true, .at = at(mark)}, offset(mark));
    }
    void OnAnchor(const YAML::Mark& mark, const std::string&) override {
        add(mark, "anchors (&name) are not used here; write the value again", config_code::anchor);
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  const std::string& value) override;
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                         YAML::EmitterStyle::value style) override {
        check_tag(mark, tag);
        open({.kind = YamlNode::Kind::list, .at = at(mark)}, mark, style);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                    YAML::EmitterStyle::value style) override {
        check_tag(mark, tag);
        open({.kind = YamlNode::Kind::map, .at = at(mark)}, mark, style);
    }
    void OnMapEnd() override { close(); }

private:
    struct Level {
        YamlNode node;
        bool is_flow = false;
        bool has_key = false;
        bool is_dropped = false;  ///< The value of this key is not kept: its key is a mistake.
        std::string key{};
        Position key_at{};
        size_t key_end = 0;  ///< Of a key without quotes: the byte after it; else 0.
        std::map<std::string, int, std::less<>> lines{};  ///< Of the keys so far.
    };

    static size_t offset(const YAML::Mark& mark) { return static_cast<size_t>(mark.pos); }
    Position at(const YAML::Mark& mark) const { return source_.position(offset(mark)); }
    void add(const YAML::Mark& mark, std::string message, std::string_view code) {
        problems_.add(at(mark), path(), std::move(message), code);
    }
    /// The rest of the text cannot be trusted.
    [[noreturn]] void give_up(Position where, const std::string& message, std::string_view code) {
        problems_.add(where, path(), message, code);
        broken_line_ = where.line;
        throw Abandon{};
    }
    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        if (tag.empty() || tag == "?") return;
        const bool is_quote = tag == "!" && source_.text().substr(offset(mark), 1) != "!";
        if (!is_quote) add(mark, "tags (!name) are not used here", config_code::tag);
    }
    ReadingState state() const {
        ReadingState state{
            .last_begin = last_begin_, .quote_begin = quote_begin_, .quote_end = quote_end_};
        for (const Level& level : levels_) {
            if (level.is_flow) state.open_bracket = level.node.at;
        }
        return state;
    }

    [[noreturn]] void refuse_second_document(const YAML::Mark& mark);
    static void spoil_last(YamlNode& parent);
    void check_quotes(const YAML::Mark& mark);
    void check_continuation(const YamlNode& node);
    void open(YamlNode node, const YAML::Mark& mark, YAML::EmitterStyle::value style);
    void close();
    void place(YamlNode node, size_t begin);
    void take_key(Level& level, const YamlNode& node, size_t begin);
    void take_value(Level& level, YamlNode node, size_t begin);
    Position dash_before(size_t begin) const;
    bool expects_key() const {
        return levels_.back().node.kind == YamlNode::Kind::map && !levels_.back().has_key;
    }
    std::string path() const;

    const SourceText& source_;
    ConfigProblems& problems_;
    std::vector<Level> levels_;
    YamlNode root_;
    int documents_ = 0, broken_line_ = 0;
    size_t last_begin_ = 0, quote_begin_ = 0, quote_end_ = 0;
    bool last_goes_on_ = false;  ///< The last text was one without quotes over several lines.
};

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                           const std::string& value) {
    check_tag(mark, tag);
    last_begin_ = offset(mark);
    YamlNode node{.kind = YamlNode::Kind::scalar, .text = value, .plain = tag == "?"};
    node.at = at(mark);
    if (!node.plain) check_quotes(mark);
    const size_t text_begin = offset(mark) + !node.plain;
    node.verbatim =
        source_.text().substr(std::min(text_begin, source_.text().size())).starts_with(value) &&
        value.find('\n') == std::string::npos;
    last_goes_on_ = node.plain && !node.verbatim;
    if (last_goes_on_) check_continuation(node);
    if (node.plain && has_leading_zero(value)) {
        const std::string shown = is_secret_key(path()) ? "" : " " + in_message(value);
        problems_.add(node.at, path(),
                      "the number" + shown + " begins with 0; quote it if it is a text",
                      config_code::octal, shown.empty() ? "" : in_quotes(value));
    }
    place(std::move(node), offset(mark));
}

void TreeBuilder::refuse_second_document(const YAML::Mark& mark) {
    const Position where = at(mark);
    for (int line = where.line; line > 0; --line) {
        const std::string_view text = source_.line(line);
        if (text.starts_with("---") || text.starts_with("...")) {
            give_up(where, "a second document; a configuration file has one",
                    config_code::second_document);
        }
        const size_t blanks = indentation_of(text);
        const bool is_content = blanks < text.size() && text[blanks] != '#';
        if (line < where.line && is_content) break;
    }
    if (root_.kind == YamlNode::Kind::map && root_.at.column > where.column) {
        give_up(where, "is indented less than the first key; all keys of a level begin alike",
                config_code::indentation);
    }
    give_up(where, "stands after the end of the configuration", config_code::syntax);
}

/// It has swallowed the beginning of the line that the mistake is in.
void TreeBuilder::spoil_last(YamlNode& parent) {
    if (!parent.entries.empty()) parent.entries.back().value.unreadable = true;
    if (!parent.items.empty()) parent.items.back().unreadable = true;
}

void TreeBuilder::check_quotes(const YAML::Mark& mark) {
    const std::string_view text = source_.text();
    const size_t begin = offset(mark);
    if (begin >= text.size() || (text[begin] != '"' && text[begin] != '\'')) return;
    const size_t end = end_of_quoted(text, begin);
    // yaml-cpp takes the end of the file for the missing quote, and all that stood before it for
    // the text.
    if (end == std::string_view::npos) {
        give_up(at(mark), "this quote is not closed", config_code::syntax);
    }
    quote_begin_ = begin;
    quote_end_ = end;
}

/// A text without quotes goes on in the next line: right in YAML, but a list item with the wrong
/// indentation would vanish in it.
void TreeBuilder::check_continuation(const YamlNode& node) {
    int line = node.at.line + 1;
    while (line < source_.line_count() &&
           indentation_of(source_.line(line)) == source_.line(line).size()) {
        ++line;
    }
    const Position first = source_.first_in_line(line);
    const std::string_view text = source_.line(line).substr(indentation_of(source_.line(line)));
    if (text.starts_with("- ") && source_.line(node.at.line).find("- ") != std::string_view::npos) {
        give_up(first, "its indentation is not that of the list item above",
                config_code::indentation);
    }
}

void TreeBuilder::open(YamlNode node, const YAML::Mark& mark, YAML::EmitterStyle::value style) {
    if (!levels_.empty() && expects_key()) {
        give_up(node.at, "a key must be a word", config_code::syntax);
    }
    if (levels_.size() == max_depth) {
        give_up(at(mark), "nested more than 32 levels deep", config_code::nesting);
    }
    last_begin_ = offset(mark);
    levels_.push_back({.node = std::move(node), .is_flow = style == YAML::EmitterStyle::Flow});
}

void TreeBuilder::close() {
    YamlNode node = std::move(levels_.back().node);
    levels_.pop_back();
    place(std::move(node), std::string_view::npos);
}

void TreeBuilder::place(YamlNode node, size_t begin) {
    if (levels_.empty()) {
        root_ = std::move(node);
        return;
    }
    Level& level = levels_.back();
    if (level.node.kind == YamlNode::Kind::list) {
        if (node.kind == YamlNode::Kind::empty && !level.is_flow) node.at = dash_before(begin);
        level.node.items.push_back(std::move(node));
    } else if (!level.has_key) {
        take_key(level, node, begin);
    } else {
        take_value(level, std::move(node), begin);
    }
}

void TreeBuilder::take_key(Level& level, const YamlNode& node, size_t begin) {
    level.key = node.text;
    level.key_at = node.at;
    level.key_end = node.plain && node.verbatim ? begin + node.text.size() : 0;
    level.has_key = true;
    level.is_dropped = true;
    if (node.kind != YamlNode::Kind::scalar || node.unreadable || node.text.empty()) {
        problems_.add(node.at, path(), "a key must be a word", config_code::syntax);
    } else if (node.plain && node.text == "<<") {
        problems_.add(node.at, path(), "merging (<<) is not used here; write the keys again",
                      config_code::alias);
    } else if (const auto [first, is_new] = level.lines.emplace(node.text, node.at.line); !is_new) {
        problems_.add(node.at, path(),
                      "is here twice; the first is in line " + std::to_string(first->second),
                      config_code::duplicate);
    } else {
        level.is_dropped = false;
    }
}

void TreeBuilder::take_value(Level& level, YamlNode node, size_t begin) {
    const bool is_empty = node.kind == YamlNode::Kind::empty;
    if (is_empty && level.key_end > 0 && !level.is_dropped) {
        const std::string_view rest = source_.text().substr(level.key_end, begin - level.key_end);
        const size_t colon = level.key.find(':');
        if (rest.find(':') == std::string_view::npos) {
            problems_.add(level.key_at, path(),
                          colon == std::string::npos
                              ? "expected \"key: value\"; the colon is missing"
                              : "expected \"key: value\"; a blank is missing after the colon",
                          config_code::syntax);
            level.is_dropped = true;
        }
    }
    // yaml-cpp gives it the place of what follows.
    if (is_empty) node.at = level.key_at;
    if (!level.is_dropped) {
        level.node.entries.push_back({level.key, level.key_at, std::move(node)});
    }
    level.has_key = false;
}

/// The item that has no value ends where the next one begins, or the list.
Position TreeBuilder::dash_before(size_t begin) const {
    for (int line = source_.line_of(begin) - 1; line > 0; --line) {
        const std::string_view text = source_.line(line);
        const size_t blanks = indentation_of(text);
        if (text.substr(blanks, 1) == "-") return source_.first_in_line(line);
    }
    return source_.position(begin);
}

std::string TreeBuilder::path() const {
    std::string out;
    for (const Level& level : levels_) {
        if (level.node.kind == YamlNode::Kind::list) {
            out += "[";
            out += std::to_string(level.node.items.size());
            out += "]";
        } else if (level.has_key) {
            out += (out.empty() ? "" : ".") + level.key;
        }
    }
    return out;
}

}  // namespace

const YamlEntry* YamlNode::find(std::string_view key) const {
    for (const YamlEntry& entry : entries) {
        if (entry.key == key) return &entry;
    }
    return nullptr;
}

Position YamlNode::position_in(size_t offset) const {
    if (!verbatim) return at;
    const size_t chars = char_count(std::string_view(text).substr(0, offset));
    return {at.line, at.column + static_cast<int>(chars) + !plain};
}

YamlDocument read_yaml(std::string_view text, ConfigProblems& problems) {
    const SourceText source(text);
    Position bad;
    std::string message;
    if (find_bad_byte(source.text(), bad, message)) {
        problems.add(bad, "", std::move(message), config_code::encoding);
        return {.root = {}, .broken_line = bad.line};
    }
    TreeBuilder builder(source, problems);
    std::istringstream in{std::string(source.text())};
    try {
        YAML::Parser parser(in);
        while (parser.HandleNextDocument(builder)) {
        }
    } catch (const Abandon&) {
    } catch (const YAML::Exception& error) {
        builder.note(error);
    }
    return builder.take();
}

std::string read_config_file(const std::filesystem::path& file) {
    const auto fail = [&](const char* reason) {
        throw ConfigError(
            {{.file = file.string(), .message = reason, .code = std::string(config_code::file)}});
    };
    std::error_code ignored;
    if (std::filesystem::is_directory(file, ignored)) fail("is a folder");
    errno = 0;
    std::ifstream in(file, std::ios::binary);
    if (!in) fail(std::strerror(errno ? errno : ENOENT));
    std::string text(max_file_bytes + 1, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(in.gcount()));
    if (text.size() > max_file_bytes) fail("is larger than 1 MiB");
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
    const bool is_date = parse_rfc3339(std::string(plain) + "T00:00:00Z") || parse_rfc3339(plain);
    return is_date ? "a date" : "";
}

}  // namespace patchbay
