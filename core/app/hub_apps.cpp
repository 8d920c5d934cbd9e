// The part of the hub that plugins with a product of their own see (architecture 10.5).
#include "api/change_data.hpp"
#include "app/hub.hpp"
#include "delivery/media_service.hpp"
#include "delivery/table_service.hpp"
#include "identity/identity_service.hpp"
#include "plugins/services/metric_service.hpp"

namespace patchbay {
namespace {

constexpr unsigned plugin_job_workers = 4;

}  // namespace

void Hub::watch_plugins() {
    plugins_.watch_life_with({.prepare =
                                  [this](const std::string& plugin, const detail::Schema& schema) {
                                      tables_.prepare(plugin, schema.migrations);
                                  },
                              .switched =
                                  [this](const std::string& instance, int64_t generation) {
                                      plugin_sockets_.switched(instance, generation);
                                      timers_.switched(instance, generation);
                                  }});
}

void Hub::register_app_services(const MessagingService& messaging) {
    register_table_service(services_, {.store = store_,
                                       .tables = tables_,
                                       .messaging = messaging,
                                       .operations = operations_,
                                       .events = plugin_events_});
    register_media_service(services_, {.store = store_,
                                       .ids = ids_,
                                       .blobs = blobs_ ? &*blobs_ : nullptr,
                                       .links = media_links_,
                                       .client = media_client_});
    register_socket_service(services_, plugin_sockets_);
    register_timer_service(services_, timers_);
    register_metric_service(services_);
    register_identity_service(services_, identity_, messaging.departments);
    register_operation_service(services_, operations_);
    register_event_service(services_, plugin_events_);
}

// Of each instance, once; what is queued for one that is off waits.
void Hub::add_plugin_queues(const std::string& instance) {
    const auto add = [&](const std::string& queue, JobRunner::Handler handler) {
        delivery_.add_queue(queue, plugin_job_workers, std::move(handler),
                            plugin_gate(plugin_job_needs().leases, instance));
    };
    add(PluginOperations::queue_of(instance), [this](ClaimedJob& job) { operations_.run(job); });
    add(PluginEvents::queue_of(instance), [this](ClaimedJob& job) { plugin_events_.run(job); });
}

void Hub::wake_plugin_queues(const std::string& instance) {
    delivery_.wake(PluginOperations::queue_of(instance));
    delivery_.wake(PluginEvents::queue_of(instance));
}

PluginJobNeeds Hub::plugin_job_needs() {
    return {.store = store_,
            .ids = ids_,
            .leases = [this](const std::string& name) { return plugins_.lease(name); },
            .wake = [this](const std::string& queue) { delivery_.wake(queue); }};
}

}  // namespace patchbay
