// How the parts follow a configuration that was replaced while the hub runs.
#include <algorithm>

#include "app/hub.hpp"

namespace patchbay {

// The plugins have changed already: the new ones serve, those that go are not called any more. What
// is queued for the latter stays, in the database, until they come back.
void Hub::follow_config(const ConfigPtr& next, const std::vector<InstanceStep>& done) {
    for (const InstanceStep& step : done) {
        if (!step.is_removed) continue;
        hooks_.withdraw(step.instance);
        plugin_routes_.withdraw(step.instance);
        plugin_sockets_.withdraw(step.instance);
        plugin_events_.subscribe(step.instance, {});
        report_("plugin", step.instance + " is configured no more");
    }
    events_.end_others(*next);
    config_.replace(next);
    events_.follow();
    for (const InstanceStep& step : done) {
        if (step.is_removed) continue;
        add_queue_of(*find_instance(*next, step.instance));
        follow(step.instance);
    }
    const bool has_freed_paths = std::any_of(
        done.begin(), done.end(), [](const InstanceStep& step) { return step.is_removed; });
    if (!has_freed_paths) return;
    for (const InstanceConfig& instance : next->plugins) {
        hooks_.publish(instance.name);
        plugin_routes_.publish(instance.name);
        plugin_sockets_.publish(instance.name);
    }
}

}  // namespace patchbay
