// Loads plugin libraries, keeps their instances, and lends them out. What a plugin asks of the host goes through HostServices.
#pragma once
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "config/hub_config.hpp"
#include "plugins/host_services.hpp"

namespace patchbay {

enum class InstanceState { disabled, starting, active, draining, stopping, failed, stuck, resident, gone };
std::string_view word(InstanceState state);

struct InstanceInfo {
    std::string instance, plugin, version, sdk, isolation, last_error, file;
    InstanceState state = InstanceState::starting;
    bool enabled = true;
    int64_t generation = 0;
    int64_t leases = 0;
    std::vector<std::string> provides;
};

/// A loaded generation, lent: while a lease lives the library stays mapped. Calls are typed, synchronous, on the caller's thread; they throw Error
/// as the plugin did (kind, code, retry_after, request_left), or Error(internal) for what broke in the plugin.
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
    virtual std::string secret(std::string_view config_key) = 0;  ///< Value of a secret of this instance's configuration; empty when unset.
};
using PluginLeasePtr = std::shared_ptr<PluginLease>;

/// [any thread] but start and stop.
class PluginHost {
public:
    PluginHost(const HubConfig& config, HostServices& services, std::filesystem::path staging);
    ~PluginHost();  ///< stop()

    /// Loads every configured instance. A failed one is kept with its reason in InstanceInfo::last_error; the others go on.
    void start();
    /// Drains, destroys and unloads all, in reverse order.
    void stop();

    /// nullptr: unknown, disabled or not active.
    PluginLeasePtr lease(const std::string& instance) const;
    std::vector<InstanceInfo> list() const;
    std::optional<InstanceInfo> find(const std::string& instance) const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
