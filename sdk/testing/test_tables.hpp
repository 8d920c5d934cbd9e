// A database for one plugin under test: its tables are real ones.
#pragma once
#include <filesystem>
#include <functional>
#include <vector>

#include "base/clock.hpp"
#include "plugins/services/plugin_tables.hpp"

namespace patchbay {

/// [any thread]
class TestTables {
public:
    TestTables(const std::filesystem::path& folder, const Clock& clock);

    void prepare(const std::string& plugin, const std::vector<tables::Migration>& migrations);
    tables::Rows query(const tables::Statement& statement);
    /// Steps that are no statements go to `other`, behind the commit.
    std::vector<tables::Rows> transact(const std::vector<tables::TableStep>& steps,
                                       const std::function<void(const tables::TableStep&)>& other);

private:
    Store store_;
    PluginTables tables_{store_};
    std::string plugin_;
};

}  // namespace patchbay
