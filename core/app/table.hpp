// Printing for people: columns as wide as their widest value, control bytes made visible.
#pragma once
#include <iosfwd>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace patchbay {

class Table {
public:
    explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    void print(std::ostream& out) const;

private:
    std::vector<std::string> titles_;
    std::vector<std::vector<std::string>> rows_;
};

/// Without control bytes: nothing from outside may drive the terminal (S83).
std::string printable(std::string_view text);

/// JSON in lines of two blanks' indent, keys in their order.
void print_json(std::ostream& out, const JsonValue& value);

}  // namespace patchbay
