// Rows, and the list of all statements.
#include "store/store.hpp"

namespace patchbay {
namespace {

[[noreturn]] void wrong_type(size_t column, const char* expected) {
    throw std::logic_error("column " + std::to_string(column) + " holds no " + expected);
}

template <class T>
const T& require(const Values& columns, size_t column, const char* expected) {
    const T* value = std::get_if<T>(&columns.at(column));
    if (value == nullptr) wrong_type(column, expected);
    return *value;
}

std::vector<const Statement*>& registered() {
    static std::vector<const Statement*> statements;
    return statements;
}

}  // namespace

int64_t Row::number(size_t column) const { return require<int64_t>(columns_, column, "number"); }

const std::string& Row::text(size_t column) const {
    return require<std::string>(columns_, column, "text");
}

const std::string& Row::bytes(size_t column) const {
    return require<Blob>(columns_, column, "bytes").bytes;
}

bool Row::is_null(size_t column) const {
    return std::holds_alternative<std::monostate>(columns_.at(column));
}

std::optional<int64_t> Row::maybe_number(size_t column) const {
    if (is_null(column)) return std::nullopt;
    return number(column);
}

std::optional<std::string> Row::maybe_text(size_t column) const {
    if (is_null(column)) return std::nullopt;
    return text(column);
}

std::string Row::text_or(size_t column, std::string_view fallback) const {
    return is_null(column) ? std::string(fallback) : text(column);
}

Statement::Statement(const char* name_, const char* sql_,
                     std::initializer_list<const char*> indexes_, bool may_scan_)
    : name(name_), sql(sql_), indexes(indexes_.begin(), indexes_.end()), may_scan(may_scan_) {
    registered().push_back(this);
}

Statement::~Statement() { std::erase(registered(), this); }

const std::vector<const Statement*>& Statement::all() { return registered(); }

std::optional<Row> Session::first(const Statement& statement, const Values& parameters) {
    Rows rows = run(statement, parameters);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

}  // namespace patchbay
