// The store's own statements.
#pragma once
#include "store/store.hpp"

namespace patchbay::sql {

inline const Statement schema_applied{
    "schema.applied",
    "SELECT version, name, sha256 FROM schema_version WHERE component = $1 ORDER BY version",
    {"PRIMARY"}};

inline const Statement schema_add{
    "schema.add",
    "INSERT INTO schema_version (component, version, name, sha256, applied_at, ms) "
    "VALUES ($1, $2, $3, $4, $5, $6)"};

inline const Statement plugin_tables_of{"plugin_tables.of",
                                        "SELECT name FROM plugin_tables WHERE plugin = $1",
                                        {"plugin_tables_plugin"}};

inline const Statement plugin_tables_add{
    "plugin_tables.add", "INSERT INTO plugin_tables (name, plugin) VALUES ($1, $2)"};

inline const Statement plugin_tables_clear{
    "plugin_tables.clear", "DELETE FROM plugin_tables WHERE plugin = $1", {"plugin_tables_plugin"}};

}  // namespace patchbay::sql
