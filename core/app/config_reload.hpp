// Reloads the configuration of the running hub: SIGHUP, POST /api/v1/config/reload and the command
// line all come here.
#pragma once
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "api/config_control.hpp"
#include "config/config_changes.hpp"
#include "config/config_revisions.hpp"
#include "config/current_config.hpp"
#include "plugins/config_check.hpp"
#include "plugins/plugin_host.hpp"
#include "store/store.hpp"

namespace patchbay {

/// One reload at a time. What cannot be applied as a whole changes nothing (G21).
class ConfigReload final : public ConfigControl {
public:
    struct Parts {
        CurrentConfig& config;
        PluginHost& plugins;
        Store& store;
        /// Replaces the configuration and lets all parts follow, once the instances have changed.
        std::function<void(const ConfigPtr& next, const std::vector<InstanceStep>& done)> follow;
        /// Told of a reload that was applied.
        std::function<void(const ReloadReport&)> applied;
    };
    explicit ConfigReload(Parts parts);
    ~ConfigReload() override;  ///< stop()

    /// The text that the hub starts with becomes a revision; a thread waits for request().
    void start();
    /// Waits for a reload that is under way.
    void stop();
    /// A reload on a thread of its own, after one that is under way. What becomes of it is logged.
    void request();

    int64_t revision() const override;
    std::vector<ConfigChange> plan(const HubConfig& wanted) override;
    ReloadReport reload(std::optional<int64_t> revision, AuditRecord record) override;

private:
    using Lock = std::unique_lock<std::mutex>;
    void run();
    std::string text_of(std::optional<int64_t> revision) const;
    ReloadReport reload_to(std::optional<int64_t> revision, AuditRecord record, const Lock&);
    ReloadReport apply(const std::string& text);
    void refuse_restart(const HubChanges& hub, const std::string& text, ReloadReport& report) const;
    void note(const std::string& text, CheckedFile checked, ReloadReport& report);
    void tell(const ReloadReport& report, AuditRecord record);

    Parts parts_;
    std::mutex running_;  // Held by the one reload.
    mutable std::mutex mutex_;
    ConfigRevisions revisions_;

    std::condition_variable asked_;
    bool is_asked_ = false, is_stopping_ = false;
    std::thread thread_;
};

}  // namespace patchbay
