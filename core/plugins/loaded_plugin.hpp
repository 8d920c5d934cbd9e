// A loaded copy of a plugin, wherever its code runs.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "config/hub_config.hpp"
#include "plugins/plugin_file.hpp"

namespace patchbay {

/// What a plugin asks of the host: encoded arguments in, encoded answer out; throws Error. [any
/// thread]
using HostCall = std::function<std::string(uint32_t method, std::string_view in)>;

/// With one instance at most. describe(), check_config(), create() and end() belong to the control
/// thread; the rest is [any thread]. All throw Error as the plugin did.
class LoadedPlugin {
public:
    /// Whether there is an instance to call.
    enum class Condition {
        running,
        restarting,  ///< Its process has died; a new one is about to be made.
        failed       ///< ... too often: calls are refused until somebody acts.
    };
    struct State {
        Condition condition = Condition::running;
        std::string reason;  ///< Of the last death, in words; empty: there was none.
    };

    virtual ~LoadedPlugin() = default;

    virtual std::string describe() = 0;
    virtual void check_config(std::string_view config) = 0;
    virtual void create(std::string_view config) = 0;
    /// The instance goes on with another configuration.
    virtual void reconfigured(std::string_view config) = 0;

    /// `left` is what the caller can wait. Whether it is kept is the implementation's: a call
    /// within this process cannot be cut.
    virtual std::string call(uint32_t method, std::string_view in,
                             std::chrono::milliseconds left) = 0;

    /// Destroys the instance, if there is one, and unloads. True: nothing of it is left.
    /// Idempotent.
    virtual bool end() = 0;
    /// True: end() may come while calls are out; they end with an error.
    virtual bool can_end_calls() const = 0;
    /// A call hangs in it that nobody waits for any more: what the call may use has to stay.
    virtual bool is_left_behind() const { return false; }
    virtual State state() const = 0;
    /// The private copy that it runs from, until end(). Empty: there is none to go back to.
    virtual std::filesystem::path staged() const { return {}; }
};

/// Where a plugin comes from and for whom it is loaded. `clock` outlives it.
struct PluginOrigin {
    const PluginFile& file;
    const InstanceConfig& instance;
    const std::filesystem::path& staging;
    const Clock& clock;
    HostCall serve;
    /// Told after each change of state(). Must not block or throw; may be empty.
    std::function<void()> changed;
};

/// `isolation` is none or process. Throws Error.
std::unique_ptr<LoadedPlugin> load_plugin(const std::string& isolation, PluginOrigin origin);

}  // namespace patchbay
