// The running server: every part, in the order in which they start. They stop in the reverse.
#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "api/api.hpp"
#include "api/plugin_routes.hpp"
#include "api/plugin_sockets.hpp"
#include "app/config_reload.hpp"
#include "base/clock_check.hpp"
#include "base/ids.hpp"
#include "config/current_config.hpp"
#include "delivery/bulk.hpp"
#include "delivery/delivery.hpp"
#include "delivery/erasure.hpp"
#include "delivery/table_service.hpp"
#include "delivery/webhook_sender.hpp"
#include "flows/flow_engine.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "identity/identity.hpp"
#include "inbound/event_router.hpp"
#include "inbound/gap_fill.hpp"
#include "inbound/hooks.hpp"
#include "inbound/replay.hpp"
#include "messaging/mint.hpp"
#include "plugins/plugin_host.hpp"
#include "plugins/services/timer_service.hpp"
#include "realtime/realtime.hpp"
#include "store/store.hpp"

namespace patchbay {

class Hub {
public:
    /// Told one line for each part as it starts.
    using Report = std::function<void(const std::string& part, const std::string& text)>;

    /// Opens the store, brings the schema up to date and takes back what a dead process held.
    /// Throws StoreError, ConfigError, Error.
    Hub(const HubConfig& config, Report report);
    ~Hub();

    /// Loads the plugins, publishes their routes, starts all workers, then listens: nothing listens
    /// before everything else is there.
    void start();
    uint16_t port() const { return server_.port(); }

    /// Reads the configuration again and follows it, later and on another thread; what becomes of
    /// it is logged.
    void request_reload() { reload_.request(); }

    /// While there are no users: a new link that makes the first owner (S62).
    std::optional<std::string> first_owner_link();

    /// Draining stop (G11): at most `grace`, most of it for sends under way, unless plugin code
    /// hangs. Tells which part is being stopped.
    void stop(std::chrono::milliseconds grace, const std::function<void(const char*)>& at);
    /// That hang in plugins. While there are some the destructor does not return: after stop() the
    /// process has to end without it.
    int64_t lost_threads() const;

private:
    void register_services();
    void register_app_services(const MessagingService& messaging);
    void watch_plugins();
    PluginJobNeeds plugin_job_needs();
    void add_plugin_queues(const std::string& instance);
    void wake_plugin_queues(const std::string& instance);
    void report_left_out(const std::string& instance, const std::vector<TakenRoute>& routes);
    void report_unchecked(const std::string& instance);
    void publish_routes(const InstanceInfo& instance);
    void note_credentials(const std::string& instance);
    void follow(const std::string& instance);
    void follow_config(const ConfigPtr& next, const std::vector<InstanceStep>& done);
    bool is_channel(const std::string& instance) const;
    bool reopens(const std::string& channel) const;
    int64_t bulk_per_day(const std::string& channel) const;
    void add_queue_of(const InstanceConfig& instance);
    messaging::ChannelState channel_state(const std::string& instance) const;
    void add_queues();
    void follow_webhooks();
    ApiContext api_context();
    Readiness readiness() const;
    void collect_metrics(Samples& samples);
    void count_rows(Samples& samples);

    CurrentConfig config_;
    Report report_;
    SystemClock clock_;
    ClockCheck clock_check_;
    Store store_;
    WorkerInfo self_;
    Ids ids_;
    Numbers numbers_;
    Mint mint_{ids_, numbers_};
    HttpClient client_;
    PluginTables tables_;
    HostServices services_;
    PluginHost plugins_;
    PluginTimers timers_;
    TaskRunner tasks_;  // Before delivery, whose workers run it.
    BulkSender bulk_;
    Eraser eraser_;
    Replayer replayer_;
    Delivery delivery_;
    FlowEngine flows_;
    EventRouter events_;
    GapFill gaps_;
    Identity identity_;
    Realtime realtime_;
    const Sealer sealer_;
    const std::optional<BlobStore> blobs_;
    const MediaLinks media_links_;
    HttpClient webhook_client_;
    HttpClient media_client_;
    WebhookFeed webhook_feed_;
    PluginOperations operations_;
    PluginEvents plugin_events_;
    WebhookSender webhooks_;
    Router router_;
    Ingress ingress_;
    Hooks hooks_;
    PluginRoutes plugin_routes_;
    PluginSockets plugin_sockets_;
    std::atomic<const char*> state_{"starting"};
    ConfigReload reload_;
    std::atomic<uint64_t> changes_{0};  ///< Groups of changes that were committed.
    ApiContext api_;
    Server server_;
};

}  // namespace patchbay
