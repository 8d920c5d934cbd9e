// The configuration of a running server: what a reload would change, and the reload itself.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "config/hub_config.hpp"
#include "identity/audit.hpp"

namespace patchbay {

/// What becomes of an instance, or of the hub's own keys.
struct ConfigChange {
    std::string instance;  ///< Empty: the hub itself.
    /// start, stop, reconfigure, replace, none; of the hub's keys reconfigure or restart.
    std::string action;
    std::vector<std::string> changed{};  ///< Keys, those of an instance below it.
};

/// What a reload came to.
struct ReloadReport {
    std::string code{};  ///< Of an error; empty: all of it is applied.
    std::string detail{};
    int64_t revision = 0;  ///< That runs now.
    std::vector<ConfigChange> plan{};
    std::vector<ConfigProblem> problems{};
    bool is_applied() const { return code.empty(); }
};

/// [any thread]
class ConfigControl {
public:
    virtual ~ConfigControl() = default;
    virtual int64_t revision() const = 0;
    /// What a reload to this configuration would change. Reads the plugins' files. Throws Problem
    /// reload_running.
    virtual std::vector<ConfigChange> plan(const HubConfig& wanted) = 0;
    /// Applies the file, or the text of an earlier revision, all or nothing. `record` says who
    /// asks, and is kept when it is applied. Throws Problem reload_running, and unknown_id for a
    /// revision that is not kept.
    virtual ReloadReport reload(std::optional<int64_t> revision, AuditRecord record) = 0;
};

/// As the API and /ws show it.
JsonArray plan_json(const std::vector<ConfigChange>& plan);

}  // namespace patchbay
