// What is owed to an instance of a plugin, as jobs of queues of its own, so that a slow one holds
// up nobody else: operations that others asked of it, and events it wants to hear of.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "delivery/channel_gate.hpp"
#include "delivery/job_runner.hpp"
#include "delivery/jobs.hpp"
#include "delivery/webhook_feed.hpp"
#include "plugins/host_services.hpp"

namespace patchbay {

struct PluginJobNeeds {
    Store& store;
    Ids& ids;
    LeaseSource leases;
    std::function<void(const std::string& queue)> wake;
};

/// For their queues: nothing is claimed while the instance is off.
std::shared_ptr<Gate> plugin_gate(LeaseSource leases, const std::string& instance);

/// operations/1: idempotent things that one instance does for another. [any thread]
class PluginOperations {
public:
    /// `exists` knows instances that are off, too: what is queued for them waits.
    PluginOperations(PluginJobNeeds needs, std::function<bool(const std::string&)> exists)
        : needs_(std::move(needs)), exists_(std::move(exists)) {}

    static std::string queue_of(const std::string& instance) { return "operations:" + instance; }

    /// At once, on this thread. Throws Error: what the other plugin threw, not_found, unavailable
    /// where it does not run.
    std::string perform(const ServiceCaller& caller, const Call& call,
                        const operations::OperationCall& wanted);
    /// A job that survives the process; the same key is the same job. Answers its queue, to be
    /// woken after the commit. Throws Error.
    std::string queue(Transaction& tx, const ServiceCaller& caller,
                      const operations::OperationCall& wanted);
    /// Handler of those queues.
    void run(const ClaimedJob& job);

    Store& store() const { return needs_.store; }
    void wake(const std::string& queue) const { needs_.wake(queue); }

private:
    void require_target(const operations::OperationCall& wanted) const;

    PluginJobNeeds needs_;
    std::function<bool(const std::string&)> exists_;
};

/// events/1: what plugins published and what the hub notes (message.created, ...), told to every
/// instance that wants it, at least once, never two at once for one conversation. [any thread]
class PluginEvents {
public:
    /// `data` as for webhooks: what is told of an object. nullopt: it is gone.
    PluginEvents(PluginJobNeeds needs,
                 std::function<std::optional<JsonObject>(Session&, const WebhookEvent&)> data)
        : needs_(std::move(needs)), data_(std::move(data)) {}

    static std::string queue_of(const std::string& instance) { return "events:" + instance; }

    /// What an instance wants: "message.created", "message.*", "*". None: nothing more. It goes on
    /// being owed while the instance is off.
    void subscribe(const std::string& instance, const std::vector<std::string>& topics);
    /// A plugin's own event; its key makes it one for each who wants it. Answers the queues to
    /// wake. Throws Error(request).
    std::vector<std::string> publish(Transaction& tx, const ServiceCaller& caller,
                                     const Event& event);
    /// For Store::on_noted.
    void follow(Transaction& tx, const Changes& changes);
    /// Handler of those queues.
    void run(const ClaimedJob& job);

    Store& store() const { return needs_.store; }
    void wake(const std::string& queue) const { needs_.wake(queue); }

private:
    std::vector<std::string> who_wants(const std::string& topic) const;
    void tell(Transaction& tx, const std::string& instance, const NewJob& job,
              const std::string& conversation);
    std::optional<Event> event_of(const ClaimedJob& job);
    std::optional<Event> event_of_change(Session& session, const ClaimedJob& job);

    PluginJobNeeds needs_;
    std::function<std::optional<JsonObject>(Session&, const WebhookEvent&)> data_;
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<std::string>> wanted_;
};

/// operations/1 and events/1 for plugins; both outlive them.
void register_operation_service(HostServices& services, PluginOperations& operations);
void register_event_service(HostServices& services, PluginEvents& events);

}  // namespace patchbay
