// What Store::migrate does.
#pragma once
#include "store/store.hpp"

namespace patchbay {

void run_migrations(Store& store, const std::string& component,
                    const std::vector<Migration>& migrations,
                    const std::function<void(const std::string&)>& progress);

/// What Store::migrate_plugin does.
TableScope run_plugin_migrations(Store& store, const std::string& plugin,
                                 const std::vector<Migration>& migrations);

}  // namespace patchbay
