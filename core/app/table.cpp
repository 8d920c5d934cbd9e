#include "app/table.hpp"

#include <ostream>

namespace patchbay {
namespace {

/// Characters, not bytes: names have accents.
size_t width(std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

void print_indented(std::ostream& out, const JsonValue& value, size_t depth) {
    const std::string indent(depth * 2 + 2, ' ');
    const std::string close(depth * 2, ' ');
    if (value.type() == typeid(JsonObject) && value.extract<JsonObject>()->size() > 0) {
        const JsonObject object = value.extract<JsonObject>();
        const char* before = "{\n";
        for (const auto& name : object->getNames()) {
            out << before << indent << to_json(JsonValue(name)) << ": ";
            print_indented(out, object->get(name), depth + 1);
            before = ",\n";
        }
        out << '\n' << close << '}';
    } else if (value.type() == typeid(JsonArray) && value.extract<JsonArray>()->size() > 0) {
        const JsonArray array = value.extract<JsonArray>();
        for (size_t i = 0; i < array->size(); ++i) {
            out << (i == 0 ? "[\n" : ",\n") << indent;
            print_indented(out, array->get(static_cast<unsigned>(i)), depth + 1);
        }
        out << '\n' << close << ']';
    } else {
        out << to_json(value);
    }
}

}  // namespace

void Table::print(std::ostream& out) const {
    std::vector<size_t> widths(titles_.size());
    const auto measure = [&](const std::vector<std::string>& row) {
        for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    };
    std::vector<std::vector<std::string>> lines{titles_};
    for (const auto& row : rows_) {
        lines.emplace_back();
        for (const auto& cell : row) lines.back().push_back(printable(cell));
    }
    for (const auto& line : lines) measure(line);
    for (const auto& line : lines) {
        std::string text;
        for (size_t i = 0; i < line.size(); ++i) {
            text += line[i];
            if (i + 1 < line.size()) text += std::string(widths[i] - width(line[i]) + 2, ' ');
        }
        while (text.ends_with(' ')) text.pop_back();
        out << text << '\n';
    }
}

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7f ? ' ' : c;
    }
    return out;
}

void print_json(std::ostream& out, const JsonValue& value) {
    print_indented(out, value, 0);
    out << '\n';
}

}  // namespace patchbay
