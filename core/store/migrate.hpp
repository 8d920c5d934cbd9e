// What Store::migrate does.
#pragma once
#include "store/store.hpp"

namespace patchbay {

void run_migrations(Store& store, const std::string& component,
                    const std::vector<Migration>& migrations,
                    const std::function<void(const std::string&)>& progress);

}  // namespace patchbay
