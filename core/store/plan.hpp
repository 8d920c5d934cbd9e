// How the database would run a statement, and what is wrong with that. For the test over
// Statement::all().
#pragma once
#include <string>
#include <vector>

#include "store/store.hpp"

namespace patchbay {

/// One line a step, as EXPLAIN QUERY PLAN words it.
std::string explain(Store& store, const Statement& statement);

/// Sentences that name the statement: a table or a whole index is walked, an index is made for each
/// run, or an index that the statement counts on is not used. Empty: all is well. A walk through an
/// index is accepted where the statement names it (a partial index holds few rows).
std::vector<std::string> plan_problems(Store& store, const Statement& statement);

}  // namespace patchbay
