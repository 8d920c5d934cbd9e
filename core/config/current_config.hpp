// The configuration that the hub runs by. A reload replaces it as a whole, so nobody keeps a copy
// of a part.
#pragma once
#include <memory>
#include <mutex>

#include "config/hub_config.hpp"

namespace patchbay {

using ConfigPtr = std::shared_ptr<const HubConfig>;

/// [any thread]
class CurrentConfig {
public:
    explicit CurrentConfig(ConfigPtr first) : config_(std::move(first)) {}
    /// Of one that outlives this: the command line's, or a test's.
    explicit CurrentConfig(const HubConfig& lasting) : config_(ConfigPtr(), &lasting) {}
    explicit CurrentConfig(HubConfig&&) = delete;
    CurrentConfig(const CurrentConfig&) = delete;
    CurrentConfig& operator=(const CurrentConfig&) = delete;

    /// As it is now; it does not change. Ask once for each piece of work and keep the pointer for
    /// as long as anything of it is used: a loop over `get()->plugins` would outlive what it loops
    /// over.
    ConfigPtr get() const {
        const std::lock_guard lock(mutex_);
        return config_;
    }
    void replace(ConfigPtr next) {
        const std::lock_guard lock(mutex_);
        config_.swap(next);
    }

private:
    mutable std::mutex mutex_;
    ConfigPtr config_;
};

/// nullptr: it has none of this name.
const InstanceConfig* find_instance(const HubConfig& config, const std::string& name);

}  // namespace patchbay
