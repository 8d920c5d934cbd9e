// One loaded copy of a plugin with one instance running in it, from loading to unloading.
#pragma once
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <patchbay/detail/schema.hpp>
#include <patchbay/sdk.hpp>
#include <string>

#include "base/clock.hpp"
#include "config/hub_config.hpp"
#include "plugins/deadlines.hpp"
#include "plugins/host_services.hpp"
#include "plugins/loaded_plugin.hpp"
#include "plugins/plugin_file.hpp"

namespace patchbay {

/// How a generation ended.
enum class Ending {
    gone,      ///< Unmapped, the private copy removed.
    resident,  ///< Closed, yet something keeps it mapped.
    stuck      ///< A lease did not come back in time: it stays, and its calls may still end.
};

/// What a caller can wait for a call: its deadline, and less where a Call among the arguments says
/// so.
template <class... In>
milliseconds time_for(uint32_t method, const In&... in) {
    milliseconds left = deadline_of(method);
    [[maybe_unused]] const auto look = [&](const auto& one) {
        if constexpr (std::is_same_v<std::decay_t<decltype(one)>, Call>)
            left = std::min(left, one.left);
    };
    (look(in), ...);
    return left;
}

/// What one generation leaves to the next (handover/1).
struct Handover {
    std::string from_version, state;
};

/// Made and ended on the control thread; everything between is [any thread].
class Generation {
public:
    struct Origin {
        const PluginFile& file;
        const InstanceConfig& instance;
        const std::string& isolation;  ///< none or process
        const std::filesystem::path& config_file;
        const std::filesystem::path& staging;
        const HostServices& services;
        const Clock& clock;
        int64_t number = 0;
        std::function<void()> changed;  ///< As PluginOrigin::changed.
    };

    /// Loads the library, reads its schema, checks the configuration. Runs no instance yet. Throws
    /// Error and ConfigError; nothing stays loaded then.
    explicit Generation(const Origin& origin);
    ~Generation();
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    /// Runs the plugin's constructor. Throws what the plugin threw.
    void create();
    /// nullopt: this plugin hands nothing over, or could not; its successor begins without.
    std::optional<Handover> export_state();
    /// For a plugin that takes it. Throws what the plugin threw.
    void import_state(const Handover& handover);
    /// Throws Error(unavailable) when the plugin says that it is down.
    void require_health();
    /// Tells the running plugin of other values for `live` keys. False: it wants to be made anew.
    /// Throws ConfigError, and what the plugin threw; it goes on with the old values then.
    bool reconfigure(const std::vector<std::string>& changed, const InstanceConfig& instance,
                     const std::filesystem::path& config_file);

    /// One lease more; false once drain() has begun, and while its process has died.
    bool acquire();
    void release();
    int64_t leases() const;
    /// A call through a lease does not come back: drain() does not wait for it.
    void lease_lost();
    void lease_found();

    /// No new lease; tells the plugin; waits for those that are out. false: some were not back in
    /// time.
    bool drain(milliseconds left);
    /// Destroys the instance and unloads. Only without leases; after it nothing of the plugin runs.
    Ending end();

    /// A call with an answer, and one without. Throws Error as the plugin did.
    template <class Out, class... In>
    Out ask(uint32_t method, const In&... in) {
        Out out{};
        wire::unpack(tell(method, in...), wire::Text::checked, out);
        return out;
    }
    template <class... In>
    std::string tell(uint32_t method, const In&... in) {
        return plugin_->call(method, wire::pack(in...), time_for(method, in...));
    }

    const PluginStamp& stamp() const { return stamp_; }
    const detail::Schema& schema() const { return schema_; }
    const std::string& instance() const { return caller_.instance; }
    const std::string& isolation() const { return isolation_; }
    const std::filesystem::path& path() const { return path_; }
    const std::string& digest() const { return digest_; }  ///< SHA-256 of the file, in hex.
    /// The private copy that runs, until end().
    std::filesystem::path staged() const { return plugin_->staged(); }
    int64_t number() const { return number_; }
    /// Its calls are cut at their deadline wherever they run; in this process they cannot be.
    bool can_end_calls() const { return plugin_->can_end_calls(); }
    LoadedPlugin::State state() const { return plugin_->state(); }
    bool provides(std::string_view interface_id) const;
    std::string secret(std::string_view key) const;
    const Labels& secrets() const { return secrets_; }

    Capabilities capabilities();
    std::vector<Route> routes();
    std::vector<ApiRoute> api_routes();
    std::vector<SocketRoute> socket_routes();
    std::vector<std::string> topics();

private:
    void describe();
    void check_config(const InstanceConfig& instance, const std::string& file);
    std::string serve(uint32_t method, std::string_view in) const;

    PluginStamp stamp_;
    std::filesystem::path path_;
    std::string digest_;
    ServiceCaller caller_;
    std::string isolation_;
    const HostServices& services_;
    int64_t number_;
    std::string config_;  // Encoded.
    Labels secrets_;
    detail::Schema schema_;

    std::atomic<bool> stopping_{false};
    std::unique_ptr<LoadedPlugin> plugin_;
    bool is_created_ = false;

    mutable std::mutex mutex_;
    std::condition_variable returned_;
    int64_t leases_ = 0;
    int64_t lost_leases_ = 0;
    bool closed_ = false;
    std::optional<Capabilities> capabilities_;
    std::optional<std::vector<Route>> routes_;
    std::optional<std::vector<ApiRoute>> api_routes_;
    std::optional<std::vector<SocketRoute>> socket_routes_;
    std::optional<std::vector<std::string>> topics_;

    /// Asked once, then remembered.
    template <class Out>
    Out remembered(uint32_t method, std::optional<Out>& place);
};

}  // namespace patchbay
