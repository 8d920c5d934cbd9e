#include "store/plan.hpp"

#include <iterator>
#include <set>
#include <sstream>

namespace patchbay {
namespace {

int count_placeholders(std::string_view sql) {
    int highest = 0;
    for (size_t at = sql.find('$'); at != std::string_view::npos; at = sql.find('$', at + 1))
        highest = std::max(highest, std::atoi(sql.data() + at + 1));
    return highest;
}

std::vector<std::string> plan_lines(Store& store, const Statement& statement) {
    return store.read([&](Session& session) {
        const std::string sql = std::string("EXPLAIN QUERY PLAN ") + statement.sql;
        std::vector<std::string> lines;
        constexpr size_t detail = 3;
        for (const Row& row :
             session.run_text(sql, Values(static_cast<size_t>(count_placeholders(statement.sql)))))
            lines.push_back(row.text(detail));
        return lines;
    });
}

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream stream(line);
    return std::vector<std::string>(std::istream_iterator<std::string>(stream), {});
}

// "SEARCH jobs USING COVERING INDEX jobs_ready (queue=?)" gives "jobs_ready"; the primary key has
// three faces.
std::string index_in(const std::string& line) {
    if (line.find("USING INTEGER PRIMARY KEY") != std::string::npos ||
        line.find("USING PRIMARY KEY") != std::string::npos)
        return "PRIMARY";
    const std::vector<std::string> words = words_of(line);
    const auto index = std::find(words.begin(), words.end(), "INDEX");
    if (index == words.end() || index + 1 == words.end()) return {};
    return (index + 1)->starts_with("sqlite_autoindex_") ? "PRIMARY" : *(index + 1);
}

struct Plan {
    std::set<std::string> indexes;
    std::set<std::string> made_here;  ///< Results of subqueries: to walk them is no table scan.
};

Plan survey(const std::vector<std::string>& lines) {
    Plan plan;
    for (const std::string& line : lines) {
        plan.indexes.insert(index_in(line));
        const std::vector<std::string> words = words_of(line);
        if (words.size() > 1 && (words[0] == "MATERIALIZE" || words[0] == "CO-ROUTINE"))
            plan.made_here.insert(words[1]);
    }
    return plan;
}

bool walks(const std::string& line, const Plan& plan) {
    const std::vector<std::string> words = words_of(line);
    if (words.size() < 2 || words[0] != "SCAN") return false;
    const std::string& what = words[1];
    return what != "CONSTANT" && !what.starts_with('(') && !plan.made_here.contains(what) &&
           line.find("VIRTUAL TABLE") == std::string::npos;
}

}  // namespace

std::string explain(Store& store, const Statement& statement) {
    std::string text;
    for (const std::string& line : plan_lines(store, statement)) text += line + "\n";
    return text;
}

std::vector<std::string> plan_problems(Store& store, const Statement& statement) {
    const std::vector<std::string> lines = plan_lines(store, statement);
    const Plan plan = survey(lines);
    const std::set<std::string> expected(statement.indexes.begin(), statement.indexes.end());
    std::vector<std::string> problems;
    const auto add = [&](const std::string& text) {
        problems.push_back(std::string(statement.name) + ": " + text);
    };
    for (const std::string& line : lines) {
        if (!statement.may_scan && walks(line, plan) && !expected.contains(index_in(line)))
            add("walks it all: " + line);
        if (!statement.may_scan && line.find("AUTOMATIC") != std::string::npos)
            add("makes an index each time: " + line);
    }
    for (const std::string& index : expected)
        if (!plan.indexes.contains(index)) add("does not use index " + index);
    return problems;
}

}  // namespace patchbay
