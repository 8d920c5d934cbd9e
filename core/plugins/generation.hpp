// One loaded copy of a plugin with one instance running in it, from dlopen to dlclose.
#pragma once
#include <patchbay/abi.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <patchbay/detail/schema.hpp>
#include <patchbay/detail/sink.hpp>
#include <patchbay/sdk.hpp>
#include <string>

#include "config/hub_config.hpp"
#include "plugins/host_services.hpp"
#include "plugins/library.hpp"

namespace patchbay {

/// How a generation ended.
enum class Ending {
    gone,      ///< Unmapped, the private copy removed.
    resident,  ///< Closed, yet something keeps it mapped.
    stuck      ///< A lease did not come back in time: it stays, and its calls may still end.
};

/// Made and ended on the control thread; everything between is [any thread].
class Generation {
public:
    struct Origin {
        const PluginFile& file;
        const InstanceConfig& instance;
        const std::filesystem::path& config_file;
        const std::filesystem::path& staging;
        const HostServices& services;
        int64_t number = 0;
    };

    /// Loads the library, reads its schema, checks the configuration. Runs no instance yet. Throws
    /// Error and ConfigError; nothing stays loaded then.
    explicit Generation(const Origin& origin);
    ~Generation();  ///< Leaves a library that was not ended mapped.
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    /// Runs the plugin's constructor and asks for its health. Throws what the plugin threw.
    void create();

    /// One lease more; false once drain() has begun.
    bool acquire();
    void release();
    int64_t leases() const;

    /// No new lease; tells the plugin; waits for those that are out. false: some were not back in
    /// time.
    bool drain(milliseconds left);
    /// Destroys the instance and unloads. Only without leases; after it nothing of the plugin runs.
    Ending end();

    /// Encoded arguments in, encoded answer out. Throws Error as the plugin did.
    std::string call(uint32_t method, std::string_view in);
    template <class Out, class... In>
    Out ask(uint32_t method, const In&... in) {
        Out out{};
        wire::unpack(call(method, wire::pack(in...)), wire::Text::checked, out);
        return out;
    }

    const PluginStamp& stamp() const { return stamp_; }
    const detail::Schema& schema() const { return schema_; }
    const std::string& instance() const { return caller_.instance; }
    const std::filesystem::path& path() const { return path_; }
    int64_t number() const { return number_; }
    bool provides(std::string_view interface_id) const;
    std::string secret(std::string_view key) const;
    const Labels& secrets() const { return secrets_; }

    Capabilities capabilities();
    std::vector<Route> routes();
    std::vector<ApiRoute> api_routes();

private:
    static int32_t host_call(void* self, uint32_t method, pb_bytes in, pb_sink out);
    void describe();
    void check_config(const InstanceConfig& instance, const std::string& file);
    std::string serve(uint32_t method, std::string_view in) const;

    PluginStamp stamp_;
    std::filesystem::path path_;
    ServiceCaller caller_;
    const HostServices& services_;
    int64_t number_;
    std::string config_;  // Encoded.
    Labels secrets_;
    detail::Schema schema_;

    pb_host host_;
    std::atomic<bool> stopping_{false};
    std::unique_ptr<Library> library_;
    pb_instance plugin_{};

    mutable std::mutex mutex_;
    std::condition_variable returned_;
    int64_t leases_ = 0;
    bool closed_ = false;
    std::optional<Capabilities> capabilities_;
    std::optional<std::vector<Route>> routes_;
    std::optional<std::vector<ApiRoute>> api_routes_;

    /// Asked once, then remembered.
    template <class Out>
    Out remembered(uint32_t method, std::optional<Out>& place);
};

}  // namespace patchbay
