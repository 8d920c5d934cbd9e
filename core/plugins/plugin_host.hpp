// Loads plugin libraries, keeps their instances, and lends them out. What a plugin asks of the host
// goes through HostServices.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <patchbay/detail/schema.hpp>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "config/hub_config.hpp"
#include "plugins/host_services.hpp"
#include "plugins/instance_plan.hpp"

namespace patchbay {

enum class InstanceState {
    disabled,
    starting,
    active,
    restarting,  ///< Its process died and is about to be started again.
    draining,
    stopping,
    failed,
    stuck,
    resident,
    gone
};
std::string_view word(InstanceState state);

struct InstanceInfo {
    std::string instance, plugin, version, sdk, isolation, last_error, file;
    InstanceState state = InstanceState::starting;
    bool enabled = true;
    int64_t generation = 0;
    int64_t leases = 0;
    std::vector<std::string> provides;
    /// Copies of earlier generations that are still mapped: a call into one has not ended, or
    /// something keeps it although it was closed.
    int64_t stuck = 0, resident = 0;
    int64_t lost_threads = 0;  ///< That hang in it, in whatever generation.

    /// What is left of earlier generations and why, in words; empty: nothing.
    std::string lingering() const;
};

/// What inbound needs of an instance's webhooks, kept while the instance is disabled or failed
/// after it ran once: its requests are still checked, stored and answered then.
struct WebhookFace {
    std::vector<Route> routes;
    Labels secrets;  ///< By key of the configuration.
    /// Empty when it has none of this key.
    std::string secret(const std::string& key) const;
};

/// Error::code of a call in which an isolated plugin's process died, with no other call in it.
inline constexpr std::string_view process_died = "process_died";

/// A loaded generation, lent: while a lease lives the library stays mapped, and its reload waits
/// for it. Hold it for one piece of work. Calls are typed, synchronous, on the caller's thread;
/// they throw Error as the plugin did (kind, code, retry_after, request_left), or Error(internal)
/// for what broke in the plugin. A call of an interface that the plugin lacks: Error(unsupported).
class PluginLease {
public:
    virtual ~PluginLease() = default;
    virtual const std::string& instance() const = 0;
    virtual bool provides(std::string_view interface_id) const = 0;
    virtual Capabilities capabilities() = 0;  ///< Asked once per generation, then remembered.
    virtual std::vector<Route> routes() = 0;  ///< Same.
    virtual bool is_authentic(const Call& call, const Request& request) = 0;
    virtual std::vector<Event> receive(const Call& call, const Request& request) = 0;
    virtual Response respond(const Call& call, const Request& request) = 0;
    virtual SendResult send(const Call& call, const OutboundMessage& message) = 0;
    virtual std::optional<SendResult> look_up(const Call& call, const OutboundMessage& message) = 0;
    virtual std::vector<Event> list_since(const Call& call, int64_t since_ms) = 0;
    virtual std::vector<StepInfo> steps() = 0;
    virtual StepResult run(const Call& call, const StepInput& input) = 0;
    virtual std::vector<ApiRoute> api_routes() = 0;
    virtual Response answer(const Call& call, const Request& request) = 0;
    virtual Health health(const Call& call) = 0;
    virtual std::string secret(
        std::string_view config_key) = 0;  ///< Value of a secret of this instance's configuration;
                                           ///< empty when unset.

    // With an answer of their own, so that a test's double need not have them.
    virtual void mark_read(const Call& call, const Mark& mark);
    virtual void typing(const Call& call, const Mark& mark);
    virtual std::vector<std::string> topics();
    virtual void handle(const Call& call, const Event& event);
    virtual std::vector<OperationInfo> operations();
    virtual std::string perform(const Call& call, const OperationInput& input);
    virtual std::vector<SocketRoute> socket_routes();
    virtual SocketReply socket_opened(const Call& call, const SocketMessage& message);
    virtual SocketReply socket_message(const Call& call, const SocketMessage& message);
    virtual void socket_closed(const Call& call, const SocketMessage& message);
    virtual void on_timer(std::string_view name, std::string_view payload);
    virtual void on_task(std::string_view name, std::string_view payload);
    virtual int64_t generation() const { return 0; }
    /// False while an isolated plugin's process is down: calls end at once with
    /// Error(unavailable).
    virtual bool is_running() const { return true; }
};
using PluginLeasePtr = std::shared_ptr<PluginLease>;

/// Longest wait of lease() while an exclusive plugin changes its generation.
inline constexpr std::chrono::milliseconds gate_wait{5'000};

/// Error::code of a change that is refused because another one is under way.
inline constexpr const char* reload_running = "reload_running";

/// [any thread]; what changes an instance is done one at a time.
class PluginHost {
public:
    /// `clock` is for the restarts of isolated plugins; nullptr: the system's.
    PluginHost(const HubConfig& config, HostServices& services, std::filesystem::path staging,
               const Clock* clock = nullptr);
    ~PluginHost();  ///< stop()

    /// Asked of every generation before it serves: empty, or why its webhooks could not be checked;
    /// the instance does not start then (S45). Set before start().
    using WebhookCheck = std::function<std::string(const InstanceConfig&, const WebhookFace&)>;
    void check_webhooks_with(WebhookCheck check);

    /// Told of an instance that changed by itself: it was switched off because its calls do not
    /// come back, its state is `disabled` then although it is wanted; or the process of an isolated
    /// one died, runs again, or is given up. last_error says why. On a thread of its own. Set
    /// before start().
    using Contained = std::function<void(const std::string& instance)>;
    void on_contained(Contained listener);

    /// What others do at the turns of an instance's life, on the thread that changes it. Set before
    /// start().
    struct LifeWatch {
        /// Before the instance is made: what the plugin has to find in place. It throws, and the
        /// instance does not start.
        std::function<void(const std::string& plugin, const detail::Schema& schema)> prepare;
        /// This generation is the one that serves from now on; 0: none.
        std::function<void(const std::string& instance, int64_t generation)> switched;
    };
    void watch_life_with(LifeWatch watch);

    /// Loads every configured instance. A failed one is kept with its reason in
    /// InstanceInfo::last_error; the others go on.
    void start();
    /// Drains, destroys and unloads all, in reverse order.
    void stop();

    /// nullptr: unknown, disabled or not active.
    PluginLeasePtr lease(const std::string& instance) const;
    std::vector<InstanceInfo> list() const;
    std::optional<InstanceInfo> find(const std::string& instance) const;

    /// The changes that people ask for, as plan(), throw Error(conflict) with code reload_running
    /// while another one is under way. apply() and the one with a configuration wait for it.
    ///
    /// Replaces the running generation by a fresh copy of the file, with `config` if one is given
    /// (same instance name). Throws Error or ConfigError when the new one cannot be loaded or
    /// created; the old one then serves on.
    void reload(const std::string& instance);
    void reload(const InstanceConfig& config);
    /// Goes back to the file that ran before, with the configuration of now. Throws like reload();
    /// Error(conflict) when there is none: it is given up once its successor was healthy for 10
    /// min.
    void reload_back(const std::string& instance);
    /// Gives up what nobody needs any more. Every minute or so, with the time of Clock::steady().
    void tend(std::chrono::steady_clock::time_point now);
    /// Throws like reload(). Error(not_found): no such instance.
    void enable(const std::string& instance);
    void disable(const std::string& instance);

    /// What apply() would do, instances in the order of the file, removed ones last. Reads the
    /// plugins' files; calls no plugin.
    std::vector<InstanceStep> plan(const std::vector<InstanceConfig>& wanted) const;
    /// Makes the instances what is wanted, all or nothing (G21): everything new is created and
    /// healthy before anything is switched. `switched` is told what was done, which may be more
    /// than was planned, once the new serve and before the old are waited for; it must not throw.
    /// Throws Error, its text beginning with the instance, or ConfigError when something new cannot
    /// run: all are as they were then.
    using Switched = std::function<void(const std::vector<InstanceStep>&)>;
    std::vector<InstanceStep> apply(const std::vector<InstanceConfig>& wanted,
                                    const Switched& switched);

    /// nullopt: unknown, or never got as far as telling its routes.
    std::optional<WebhookFace> webhooks(const std::string& instance) const;
    /// Of http/1, kept in the same way: while the instance is off its paths say so. Empty: none.
    std::vector<ApiRoute> api_routes(const std::string& instance) const;
    std::vector<SocketRoute> socket_routes(const std::string& instance) const;  ///< Same.
    std::vector<std::string> topics(const std::string& instance) const;  ///< Same, of events/1.
    /// Problems of one instance's configuration, without creating it. Throws Error when the plugin
    /// itself cannot be loaded.
    std::vector<ConfigProblem> check(const InstanceConfig& config) const;
    /// Throws Error when the plugin cannot be loaded.
    detail::Schema schema(const std::string& plugin) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
