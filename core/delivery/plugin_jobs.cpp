#include "delivery/plugin_jobs.hpp"

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>

#include "delivery/job_runner.hpp"
#include "delivery/tasks.hpp"
#include "messaging/views.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr auto once_it_is_back = 1s;

// What another try would only repeat.
bool is_final(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::config:
        case ErrorKind::request:
        case ErrorKind::forbidden:
        case ErrorKind::not_found:
        case ErrorKind::conflict:
        case ErrorKind::unsupported:
        case ErrorKind::refused:
            return true;
        default:
            return false;
    }
}

// Other exceptions are the runner's: it tries again with its own delays.
void end_by_error(Store& store, const ClaimedJob& job, const Error& error) {
    const TimeMs now = store.clock().now_ms();
    if (error.kind == ErrorKind::stopping) return go_on_later(store, job, once_it_is_back);
    if (is_final(error.kind)) {
        return write_owed(store, job,
                          [&](Transaction& tx) { end_job(tx, job, "dead", error.what(), now); });
    }
    if (error.retry_after.count() == 0) throw Error(error);
    write_owed(store, job, [&](Transaction& tx) {
        retry_job(tx, job, now + error.retry_after.count(), true, error.what());
    });
}

void end_well(Store& store, const ClaimedJob& job) {
    const TimeMs now = store.clock().now_ms();
    write_owed(store, job, [&](Transaction& tx) { end_job(tx, job, "done", "", now); });
}

std::string instance_of(const ClaimedJob& job) { return job.queue.substr(job.queue.find(':') + 1); }

Call call_for(const ClaimedJob& job, std::chrono::milliseconds left) {
    return {.trace = job.trace, .left = left, .attempt = static_cast<uint32_t>(job.attempt)};
}

// Jobs of an instance that is off stay ready and cost nothing.
class PluginGate final : public Gate {
public:
    PluginGate(LeaseSource leases, std::string instance)
        : leases_(std::move(leases)), instance_(std::move(instance)) {}
    Answer may_claim(unsigned free_workers, unsigned) override {
        const auto now = std::chrono::steady_clock::now();
        return leases_(instance_) ? Answer{free_workers, now} : Answer{0, now + once_it_is_back};
    }
    std::chrono::steady_clock::time_point take() override {
        return std::chrono::steady_clock::now();
    }

private:
    const LeaseSource leases_;
    const std::string instance_;
};

}  // namespace

std::shared_ptr<Gate> plugin_gate(LeaseSource leases, const std::string& instance) {
    return std::make_shared<PluginGate>(std::move(leases), instance);
}

// ---- operations/1 ----

void PluginOperations::require_target(const operations::OperationCall& wanted) const {
    if (wanted.key.empty()) throw Error(ErrorKind::request, "an operation needs a key");
    if (!exists_(wanted.instance))
        throw Error(ErrorKind::not_found, "there is no instance \"" + wanted.instance + "\"");
}

std::string PluginOperations::perform(const ServiceCaller& caller, const Call& call,
                                      const operations::OperationCall& wanted) {
    require_target(wanted);
    const PluginLeasePtr plugin = needs_.leases(wanted.instance);
    if (!plugin) throw ConnectionFailed(false, wanted.instance + " does not run");
    return plugin->perform(
        call,
        {.name = wanted.name, .input = wanted.input, .key = wanted.key, .caller = caller.instance});
}

std::string PluginOperations::queue(Transaction& tx, const ServiceCaller& caller,
                                    const operations::OperationCall& wanted) {
    require_target(wanted);
    const OperationInput input{
        .name = wanted.name, .input = wanted.input, .key = wanted.key, .caller = caller.instance};
    const std::string queue = queue_of(wanted.instance);
    enqueue_job(tx, needs_.ids,
                {.queue = queue,
                 .ukey = queue + ":" + wanted.name + ":" + wanted.key,
                 .kind = "operation",
                 .payload = to_base64(wire::pack(input))},
                std::nullopt, needs_.store.clock().now_ms());
    return queue;
}

void PluginOperations::run(const ClaimedJob& job) {
    const PluginLeasePtr plugin = needs_.leases(instance_of(job));
    if (!plugin) return go_on_later(needs_.store, job, once_it_is_back);
    OperationInput input;
    wire::unpack(from_base64(job.payload).value(), wire::Text::checked, input);
    try {
        plugin->perform(call_for(job, 30s), input);
    } catch (const Error& error) {
        return end_by_error(needs_.store, job, error);
    }
    end_well(needs_.store, job);
}

// ---- events/1 ----

void PluginEvents::subscribe(const std::string& instance, const std::vector<std::string>& topics) {
    const std::lock_guard lock(mutex_);
    if (topics.empty())
        wanted_.erase(instance);
    else
        wanted_[instance] = topics;
}

std::vector<std::string> PluginEvents::who_wants(const std::string& topic) const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& [instance, topics] : wanted_) {
        const bool wants = std::any_of(topics.begin(), topics.end(), [&](const auto& pattern) {
            return topic_fits(pattern, topic);
        });
        if (wants) found.push_back(instance);
    }
    return found;
}

// One lane for each conversation and instance: in order, and never two at once.
void PluginEvents::tell(Transaction& tx, const std::string& instance, const NewJob& job,
                        const std::string& conversation) {
    std::optional<LanePlace> place;
    if (!conversation.empty()) place = lock_lane(tx, queue_of(instance) + ":" + conversation);
    NewJob own = job;
    own.queue = queue_of(instance);
    own.ukey += ":" + instance;
    enqueue_job(tx, needs_.ids, own, place, needs_.store.clock().now_ms());
}

std::vector<std::string> PluginEvents::publish(Transaction& tx, const ServiceCaller& caller,
                                               const Event& event) {
    if (event.topic.empty() || event.dedupe_key.empty())
        throw Error(ErrorKind::request, "an event needs a topic and a dedupe_key");
    const NewJob job{.queue = {},
                     .ukey = "event:" + caller.instance + ":" + event.dedupe_key,
                     .kind = "event",
                     .payload = to_base64(wire::pack(event))};
    std::vector<std::string> queues;
    for (const std::string& instance : who_wants(event.topic)) {
        tell(tx, instance, job, event.conversation);
        queues.push_back(queue_of(instance));
    }
    return queues;
}

void PluginEvents::follow(Transaction& tx, const Changes& changes) {
    const TimeMs now = needs_.store.clock().now_ms();
    for (size_t i = 0; i < changes.size(); ++i) {
        const Change& change = changes[i];
        // Noted twice in one transaction is one thing to the world.
        if (std::find(changes.begin(), changes.begin() + i, change) != changes.begin() + i)
            continue;
        if (!is_webhook_topic(change.what)) continue;
        const auto instances = who_wants(change.what);
        if (instances.empty()) continue;
        WebhookEvent event{{}, change.what, change.id, now, {}, {}, {}};
        const bool is_message = event.type.starts_with("message.");
        const auto message = is_message ? find_message(tx, change.id) : std::nullopt;
        if (message) event.status = message->status;
        for (const std::string& instance : instances) {
            tell(tx, instance,
                 {.queue = {},
                  .ukey = "change:" + needs_.ids.uuid(),
                  .kind = "change",
                  .payload = event.payload()},
                 message      ? message->conversation_id
                 : is_message ? ""
                              : change.id);
            needs_.wake(queue_of(instance));
        }
    }
}

std::optional<Event> PluginEvents::event_of(const ClaimedJob& job) {
    if (job.kind == "change")
        return needs_.store.read([&](Session& session) { return event_of_change(session, job); });
    Event event;
    wire::unpack(from_base64(job.payload).value(), wire::Text::checked, event);
    return event;
}

// `data` is the object as the API shows it now; `status` of a message as it was then.
std::optional<Event> PluginEvents::event_of_change(Session& session, const ClaimedJob& job) {
    const WebhookEvent change = WebhookEvent::from_payload(job.payload);
    const auto data = data_(session, change);
    if (!data) return std::nullopt;
    Event event{.topic = change.type,
                .dedupe_key = change.type + ":" + std::to_string(job.id),
                .conversation = change.object,
                .at_ms = change.at};
    event.data = to_json(*data);
    if (!change.type.starts_with("message.")) return event;
    const MessageView message = find_message(session, change.object).value();
    event.our_message_id = message.id;
    event.conversation = message.conversation_id;
    event.provider_id = message.provider_id.value_or("");
    event.text = message.body;
    const bool is_inbound = message.direction == "in";
    (is_inbound ? event.from : event.to) = Address::phone(message.peer);
    (is_inbound ? event.to : event.from) = Address::phone(message.own);
    event.extra["direction"] = message.direction;
    event.extra["channel"] = message.channel;
    return event;
}

void PluginEvents::run(const ClaimedJob& job) {
    const PluginLeasePtr plugin = needs_.leases(instance_of(job));
    if (!plugin) return go_on_later(needs_.store, job, once_it_is_back);
    const auto event = event_of(job);
    if (!event) {
        const TimeMs now = needs_.store.clock().now_ms();
        return write_owed(needs_.store, job, [&](Transaction& tx) {
            end_job(tx, job, "cancelled", "what it was about is no more", now);
        });
    }
    try {
        plugin->handle(call_for(job, 2s), *event);
    } catch (const Error& error) {
        return end_by_error(needs_.store, job, error);
    }
    end_well(needs_.store, job);
}

// ---- for plugins ----

void register_operation_service(HostServices& services, PluginOperations& operations) {
    services.register_method("operations/1", method::operation_call,
                             [&operations](const ServiceCaller& caller, std::string_view in) {
                                 Call call;
                                 operations::OperationCall wanted;
                                 wire::unpack(in, wire::Text::checked, call, wanted);
                                 return wire::pack(operations.perform(caller, call, wanted));
                             });
    services.register_method("operations/1", method::operation_queue,
                             [&operations](const ServiceCaller& caller, std::string_view in) {
                                 operations::OperationCall wanted;
                                 wire::unpack(in, wire::Text::checked, wanted);
                                 operations.wake(operations.store().write([&](Transaction& tx) {
                                     return operations.queue(tx, caller, wanted);
                                 }));
                                 return std::string{};
                             });
}

void register_event_service(HostServices& services, PluginEvents& events) {
    services.register_method(
        "events/1", method::publish, [&events](const ServiceCaller& caller, std::string_view in) {
            Event event;
            wire::unpack(in, wire::Text::checked, event);
            const auto queues = events.store().write(
                [&](Transaction& tx) { return events.publish(tx, caller, event); });
            for (const std::string& queue : queues) events.wake(queue);
            return std::string{};
        });
}

}  // namespace patchbay
