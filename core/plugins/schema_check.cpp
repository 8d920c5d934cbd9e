#include "plugins/schema_check.hpp"

#include <algorithm>
#include <set>

#include "config/section.hpp"
#include "config/yaml_tree.hpp"

namespace patchbay {
namespace {

using detail::SchemaKey;
using detail::ValueType;

std::string parent_of(const std::string& key) {
    const size_t dot = key.find_last_of(".[");
    return dot == std::string::npos ? "" : key.substr(0, dot);
}

std::string_view last_name(std::string_view key) { return key.substr(key.rfind('.') + 1); }

bool is_place_below(std::string_view key, std::string_view container) {
    return key.size() > container.size() && key.starts_with(container) &&
           (key[container.size()] == '.' || key[container.size()] == '[');
}

class Checker {
public:
    Checker(const detail::Schema& schema, const InstanceConfig& instance, std::string file)
        : schema_(schema), instance_(instance), file_(std::move(file)) {}

    std::vector<ConfigProblem> run();
    std::vector<std::string> places_of(const std::string& pattern) const;
    ConfigProblem problem(const std::string& key, std::string message, std::string_view code,
                          bool at_key = false) const;
    bool is_unreadable(const std::string& key) const;

private:
    const std::string* value_of(const std::string& key) const {
        const auto found = instance_.config.find(key);
        return found == instance_.config.end() ? nullptr : &found->second;
    }
    bool exists(const std::string& key) const;
    std::vector<std::string> names_below(const std::string& place) const;
    void check_place(const SchemaKey& key, const std::string& place);
    void check_missing(const std::string& place);
    void check_quotes(const std::string& place, const std::string& value, ValueType type);
    void check_items(const std::string& place, const std::vector<std::string>& items);
    void accept(const SchemaKey& key, const std::string& place);
    bool is_known(const std::string& key) const;
    void check_unknown(const std::string& key);
    std::vector<std::string> siblings(const std::string& parent) const;
    void add(ConfigProblem one) {
        if (reported_.insert(one.path + one.message).second) problems_.push_back(std::move(one));
    }

    const detail::Schema& schema_;
    const InstanceConfig& instance_;
    std::string file_;
    std::set<std::string> known_;                // Every key that may stand here, containers too.
    std::set<std::string> nameless_;             // Those of them that have no names below.
    std::map<std::string, std::string> shapes_;  // What to say when one of them has another shape.
    std::set<std::string> reported_;
    std::vector<ConfigProblem> problems_;
};

ConfigProblem Checker::problem(const std::string& key, std::string message, std::string_view code,
                               bool at_key) const {
    const auto& places = at_key ? instance_.key_positions : instance_.positions;
    Position at;
    for (std::string place = key;;
         place = parent_of(place)) {  // The nearest place that the file has.
        const auto found = places.find(place);
        if (found != places.end()) {
            at = found->second;
            break;
        }
        if (place.empty()) break;
    }
    const std::string block = "plugins." + instance_.name + ".config";
    return {.file = file_,
            .line = at.line,
            .column = at.column,
            .path = key.empty() ? block : block + "." + key,
            .message = std::move(message),
            .code = std::string(code)};
}

// It, or what it stands in, has a mistake that was told already.
bool Checker::is_unreadable(const std::string& key) const {
    for (std::string place = key;; place = parent_of(place)) {
        if (instance_.unreadable.contains(place)) return true;
        if (place.empty()) return false;
    }
}

bool Checker::exists(const std::string& key) const {
    if (key.empty() || value_of(key) || value_of(key + "[]")) return true;
    const auto next = instance_.config.lower_bound(key);
    for (auto at = next; at != instance_.config.end() && at->first.starts_with(key); ++at)
        if (is_place_below(at->first, key)) return true;
    return false;
}

std::vector<std::string> Checker::names_below(const std::string& place) const {
    const std::string begin = place + ".";
    std::set<std::string> names;
    for (auto at = instance_.config.lower_bound(begin);
         at != instance_.config.end() && at->first.starts_with(begin); ++at)
        names.insert(at->first.substr(begin.size(),
                                      at->first.find_first_of(".[", begin.size()) - begin.size()));
    return {names.begin(), names.end()};
}

// Appended step by step: GCC 12 warns wrongly about the sum of three.
std::string list_place(int64_t number) {
    std::string place = "[";
    place += std::to_string(number);
    place += ']';
    return place;
}

// "rules[].contains" -> "rules[0].contains", "rules[1].contains"; "sheets.*.range" ->
// "sheets.guests.range".
std::vector<std::string> Checker::places_of(const std::string& pattern) const {
    const size_t list = pattern.find("[]"), name = pattern.find(".*");
    if (list == std::string::npos && name == std::string::npos) return {pattern};
    const size_t cut = std::min(list, name);
    const std::string head = pattern.substr(0, cut), tail = pattern.substr(cut + 2);
    std::vector<std::string> places;
    const auto expand = [&](const std::string& item) {
        for (std::string& place : places_of(head + item + tail)) places.push_back(std::move(place));
    };
    if (cut == list) {
        const std::string* count = value_of(head + "[]");
        const int64_t items = count ? detail::parse_integer(*count).value_or(0) : 0;
        for (int64_t i = 0; i < items; ++i) expand(list_place(i));
    } else {
        for (const std::string& one : names_below(head)) expand("." + one);
    }
    return places;
}

void Checker::accept(const SchemaKey& key, const std::string& place) {
    known_.insert(place);
    shapes_[place] = key.is_container() ? *detail::complaint(key, "") : "expected a single value";
    const bool is_list = key.type == ValueType::list || key.type == ValueType::sections;
    if (is_list || !key.is_container()) nameless_.insert(place);
    std::vector<std::string> items;
    if (is_list) {
        known_.insert(place + "[]");
        items = places_of(place + "[]");
    } else if (key.type == ValueType::map || key.type == ValueType::named_sections) {
        items = places_of(place + ".*");
    }
    known_.insert(items.begin(), items.end());
    if (key.type == ValueType::list || key.type == ValueType::map) check_items(place, items);
}

// Of a list or a map of texts.
void Checker::check_items(const std::string& place, const std::vector<std::string>& items) {
    for (const std::string& item : items) {
        nameless_.insert(item);
        shapes_[item] = "expected a text";
        if (const std::string* value = value_of(item)) {
            check_quotes(item, *value, ValueType::text);
        } else if (!is_unreadable(item) && !is_unreadable(place)) {
            add(problem(item, shapes_[item], config_code::type));
        }
    }
}

void Checker::check_quotes(const std::string& place, const std::string& value, ValueType type) {
    if (type > ValueType::secret || !instance_.unquoted.contains(place)) return;
    // The value is not repeated: it may be somebody's phone number.
    if (const auto kind = ambiguous_kind(value); !kind.empty()) {
        add(problem(place, "expected a text, found " + std::string{kind} + "; quote it",
                    config_code::unquoted));
    }
}

std::string_view code_of(const SchemaKey& key, std::string_view value) {
    switch (key.type) {
        case ValueType::text:
        case ValueType::secret:
            return config_code::missing_value;
        case ValueType::integer:
            return detail::parse_integer(value) ? config_code::range : config_code::type;
        case ValueType::duration:
            return config_code::duration;
        case ValueType::choice:
            return config_code::choice;
        default:
            return config_code::type;
    }
}

void Checker::check_missing(const std::string& place) {
    std::string parent = parent_of(place);
    while (!exists(parent)) parent = parent_of(parent);
    const std::string below =
        parent.empty() ? place
                       : place.substr(parent.size() + (place[parent.size()] == '.' ? 1 : 0));
    if (is_unreadable(place)) return;
    ConfigProblem one = problem(parent, in_quotes(below) + " is missing", config_code::missing);
    one.hint = below;
    add(std::move(one));
}

void Checker::check_place(const SchemaKey& key, const std::string& place) {
    accept(key, place);
    const std::string* value = value_of(place);
    if (!value) {
        const bool other_shape = exists(place) && !key.is_container();
        if (other_shape) add(problem(place, shapes_.at(place), config_code::type));
        if (key.required && !other_shape) check_missing(place);
        return;
    }
    if (!detail::complaint(key, *value)) return check_quotes(place, *value, key.type);
    const auto shown = instance_.shown.find(place);
    const std::string said = shown == instance_.shown.end() ? in_message(*value) : shown->second;
    const auto wrong = detail::complaint(key, said);
    add(problem(place, wrong ? *wrong : "is not what it has to be", code_of(key, *value)));
}

bool Checker::is_known(const std::string& key) const { return known_.contains(key); }

std::vector<std::string> Checker::siblings(const std::string& parent) const {
    std::set<std::string> names;
    for (const std::string& key : known_) {
        if (key.ends_with("[]") || parent_of(key) != parent) continue;
        names.insert(std::string(last_name(key)));
    }
    return {names.begin(), names.end()};
}

// Reports the outermost part of a key that nothing knows, once.
void Checker::check_unknown(const std::string& key) {
    if (is_known(key)) return;
    std::string outermost = key;
    for (std::string place = key; !place.empty(); place = parent_of(place)) {
        if (is_known(place)) break;
        outermost = place;
    }
    const std::string parent = parent_of(outermost);
    if (outermost.ends_with("]") || nameless_.contains(parent)) outermost = parent;
    if (is_known(
            outermost)) {  // Known, but of another shape: a list or a map where a value belongs.
        if (!value_of(outermost)) {
            add(problem(outermost, shapes_[outermost], config_code::type));
        }
        return;
    }
    const std::string near = nearest(last_name(outermost), siblings(parent_of(outermost)));
    ConfigProblem one =
        problem(outermost, "unknown key" + suggestion(near), config_code::unknown_key, true);
    one.hint = near;
    add(std::move(one));
}

std::vector<ConfigProblem> Checker::run() {
    for (const SchemaKey& key : schema_.keys)
        for (const std::string& place : places_of(key.key)) check_place(key, place);
    for (const auto& [key, value] : instance_.config) check_unknown(key);
    std::stable_sort(problems_.begin(), problems_.end(),
                     [](const ConfigProblem& a, const ConfigProblem& b) {
                         return std::pair(a.line, a.column) < std::pair(b.line, b.column);
                     });
    return std::move(problems_);
}

}  // namespace

std::vector<ConfigProblem> check_against_schema(const detail::Schema& schema,
                                                const InstanceConfig& instance,
                                                const std::string& file) {
    return Checker(schema, instance, file).run();
}

std::vector<ConfigProblem> problems_of_plugin(const Labels& found, const InstanceConfig& instance,
                                              const std::string& file,
                                              const std::vector<ConfigProblem>& known) {
    const detail::Schema none;
    const Checker checker(none, instance, file);
    std::vector<ConfigProblem> problems;
    for (const auto& finding : found) {
        if (checker.is_unreadable(finding.first)) continue;
        ConfigProblem one =
            checker.problem(finding.first, in_message(finding.second, 200), config_code::plugin);
        const bool told = std::any_of(known.begin(), known.end(), [&](const ConfigProblem& other) {
            return other.path == one.path ||
                   (one.message == "is missing" && one.path.starts_with(other.path + ".") &&
                    other.message.ends_with(" is missing"));
        });
        if (!told) problems.push_back(std::move(one));
    }
    return problems;
}

Labels secrets_of(const detail::Schema& schema, const InstanceConfig& instance) {
    const Checker checker(schema, instance, {});
    Labels secrets;
    for (const SchemaKey& key : schema.keys) {
        if (key.type != ValueType::secret) continue;
        for (const std::string& place : checker.places_of(key.key)) {
            const auto found = instance.config.find(place);
            if (found != instance.config.end() && !found->second.empty())
                secrets[place] = found->second;
        }
    }
    return secrets;
}

}  // namespace patchbay
