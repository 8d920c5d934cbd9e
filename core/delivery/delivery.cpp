#include "delivery/delivery.hpp"

#include <array>
#include <condition_variable>
#include <map>
#include <shared_mutex>
#include <thread>

#include "base/log.hpp"
#include "base/replaceable_thread.hpp"
#include "delivery/housekeeping.hpp"
#include "delivery/statements.hpp"
#include "delivery/unknown.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr auto tick = 1s;
constexpr unsigned ticks_between_rescues = 5;
constexpr unsigned ticks_between_sweeps = 60;
constexpr unsigned resolver_threads = 2;

struct Queue {
    std::shared_ptr<ChannelGate> gate;  ///< nullptr: not a channel
    std::unique_ptr<Sender> sender;
    std::unique_ptr<JobRunner> runner;
};

}  // namespace

struct Delivery::Impl {
    Impl(Store& store_, Ids& ids_, LeaseSource leases_, std::string owner_,
         std::function<void(const MessageChange&)> changed)
        : leases(std::move(leases_)),
          context{store_,
                  ids_,
                  board,
                  std::move(owner_),
                  std::move(changed),
                  [this](const std::string& queue) { wake(queue); }},
          resolver(context, [this](const std::string& queue) { return gate(queue); }),
          guard(store_.clock()) {}

    const Queue* find(const std::string& queue) const;
    std::vector<std::pair<std::string, const Queue*>> all() const;
    void add(const std::string& name, Queue queue);
    void wake(const std::string& queue);
    std::shared_ptr<ChannelGate> gate(const std::string& queue) const;
    ChannelGate& require_gate(const std::string& channel) const;
    void repeat(const std::function<bool()>& work);
    void keep_house();
    void load_pauses();
    template <class Work>
    void guarded(const char* what, Work&& work);

    OutcomeBoard board;
    LeaseSource leases;
    DeliveryContext context;
    UnknownResolver resolver;
    ClockGuard guard;
    std::shared_ptr<Bulkhead> bulkhead = std::make_shared<Bulkhead>();
    std::shared_ptr<Probation> probation = std::make_shared<Probation>();
    mutable std::shared_mutex queues_mutex;  // Of the map; what it holds stays for ever.
    std::map<std::string, Queue> queues;

    std::mutex mutex;
    std::condition_variable stop_asked;
    bool stopping = false, started = false, stopped = false;
    unsigned ticks = 0;
    bool more_to_sweep = false;
    std::vector<std::function<bool()>> sweeps;
    std::array<ReplaceableThread, 1 + resolver_threads> threads;
};

const Queue* Delivery::Impl::find(const std::string& queue) const {
    const std::shared_lock lock{queues_mutex};
    const auto found = queues.find(queue);
    return found == queues.end() ? nullptr : &found->second;
}

std::vector<std::pair<std::string, const Queue*>> Delivery::Impl::all() const {
    const std::shared_lock lock{queues_mutex};
    std::vector<std::pair<std::string, const Queue*>> list;
    for (const auto& [name, queue] : queues) list.emplace_back(name, &queue);
    return list;
}

void Delivery::Impl::add(const std::string& name, Queue queue) {
    bool starts = false;
    {
        const std::lock_guard lock{mutex};
        starts = started && !stopped;
    }
    const std::unique_lock lock{queues_mutex};
    const auto [place, is_new] = queues.try_emplace(name, std::move(queue));
    if (is_new && starts) place->second.runner->start();
}

void Delivery::Impl::wake(const std::string& queue) {
    if (const Queue* found = find(queue)) found->runner->wake();
}

std::shared_ptr<ChannelGate> Delivery::Impl::gate(const std::string& queue) const {
    const Queue* found = find(queue);
    return found ? found->gate : nullptr;
}

ChannelGate& Delivery::Impl::require_gate(const std::string& channel) const {
    const Queue* found = find(channel);
    if (!found || !found->gate) {
        throw Error(ErrorKind::not_found, "there is no channel \"" + channel + "\"");
    }
    return *found->gate;
}

// Until stop(); `work` says whether there is more to do at once.
void Delivery::Impl::repeat(const std::function<bool()>& work) {
    std::unique_lock lock{mutex};
    while (!stopping) {
        lock.unlock();
        bool has_more = false;
        guarded("the round", [&] { has_more = work(); });
        if (this_thread_is_lost()) return;
        lock.lock();
        if (!has_more) stop_asked.wait_for(lock, tick, [this] { return stopping; });
    }
}

template <class Work>
void Delivery::Impl::guarded(const char* what, Work&& work) {
    try {
        work();
    } catch (const std::exception& error) {
        log_warn("delivery", "housekeeping failed, it is tried again",
                 {{"what", what}, {"error", error.what()}});
    }
}

void Delivery::Impl::keep_house() {
    guarded("expiry", [this] { expire_sends(context); });
    if (ticks % ticks_between_rescues == 0) {
        guarded("heartbeat", [this] { beat(context.store, context.owner); });
        guarded("rescue", [this] {
            if (!guard.may_rescue()) return;
            const Recovered recovered = rescue(context.store, context.ids, context.owner);
            if (recovered.ready == 0) return;
            for (const auto& [name, queue] : all()) queue->runner->wake();
        });
        guarded("early statuses", [this] { reunite_statuses(context); });
        guarded("pauses", [this] { load_pauses(); });
    }
    if (more_to_sweep || ticks % ticks_between_sweeps == 0) {
        guarded("retention", [this] {
            more_to_sweep = sweep_deliveries(context.store);
            for (const auto& sweep : sweeps) more_to_sweep = sweep() || more_to_sweep;
        });
    }
    ++ticks;
}

// The table is the truth: another process, or a command, may have paused or resumed.
void Delivery::Impl::load_pauses() {
    std::map<std::string, std::string> paused;
    for (const Row& row :
         context.store.read([](Session& s) { return s.run(sql::channel_paused); })) {
        paused[row.text(0)] = row.text(1);
    }
    for (const auto& [name, queue] : all()) {
        if (!queue->gate) continue;
        const auto found = paused.find(name);
        found == paused.end() ? queue->gate->resume() : queue->gate->pause(found->second);
    }
}

Delivery::Delivery(Store& store, Ids& ids, LeaseSource leases, std::string owner,
                   std::function<void(const MessageChange&)> changed)
    : impl_(std::make_unique<Impl>(store, ids, std::move(leases), std::move(owner),
                                   std::move(changed))) {}

Delivery::~Delivery() { stop(0ms); }

void Delivery::add_channel(const ChannelSettings& settings) {
    Impl& impl = *impl_;
    DeliveryContext& context = impl.context;
    const uint32_t most = impl.bulkhead->most_of_one();
    if (settings.concurrency > most) {
        log_warn("delivery", "one channel may not hold more than half of all sending threads",
                 {{"channel", settings.instance}, {"most", std::to_string(most)}});
    }
    const uint32_t workers = std::min(settings.concurrency, most);
    if (const Queue* known = impl.find(settings.instance); known && known->gate) {
        known->gate->change(settings.concurrency, settings.per_second);
        return known->runner->set_workers(workers);
    }
    Queue queue;
    queue.gate =
        std::make_shared<ChannelGate>(settings, impl.leases, context.store.clock(), impl.bulkhead);
    queue.sender = std::make_unique<Sender>(context, queue.gate);
    queue.runner = std::make_unique<JobRunner>(
        context.store, context.ids,
        RunnerOptions{.queue = settings.instance,
                      .owner = context.owner,
                      .workers = workers,
                      .probation = impl.probation},
        [sender = queue.sender.get()](ClaimedJob& job) { sender->run(job); }, queue.gate);
    impl.add(settings.instance, std::move(queue));
}

void Delivery::add_queue(const std::string& name, unsigned workers, JobRunner::Handler handler,
                         std::shared_ptr<Gate> gate) {
    Impl& impl = *impl_;
    Queue queue;
    queue.runner = std::make_unique<JobRunner>(impl.context.store, impl.context.ids,
                                               RunnerOptions{.queue = name,
                                                             .owner = impl.context.owner,
                                                             .workers = workers,
                                                             .probation = impl.probation},
                                               std::move(handler), std::move(gate));
    impl.add(name, std::move(queue));
}

void Delivery::also_sweep(std::function<bool()> sweep) {
    impl_->sweeps.push_back(std::move(sweep));
}

void Delivery::start() {
    Impl& impl = *impl_;
    impl.load_pauses();
    {
        const std::lock_guard lock{impl.mutex};
        impl.started = true;
    }
    for (const auto& [name, queue] : impl.all()) queue->runner->start();
    impl.threads[0].start("housekeeping", [&impl] {
        impl.repeat([&impl] {
            impl.keep_house();
            return false;
        });
    });
    for (unsigned i = 1; i <= resolver_threads; ++i) {
        impl.threads[i].start(
            "outcomes", [&impl] { impl.repeat([&impl] { return impl.resolver.step(1) > 0; }); });
    }
}

StopReport Delivery::stop(std::chrono::milliseconds grace) {
    Impl& impl = *impl_;
    {
        const std::lock_guard lock{impl.mutex};
        if (std::exchange(impl.stopped, true)) return {};
    }
    StopReport total;
    std::mutex total_mutex;
    // At the same time: each may use the whole grace.
    std::vector<std::thread> stops;
    for (const auto& [name, queue] : impl.all()) {
        stops.emplace_back([&, runner = queue->runner.get()] {
            const StopReport report = runner->stop(grace);
            const std::lock_guard lock{total_mutex};
            total.handed_back += report.handed_back;
            total.left_running += report.left_running;
        });
    }
    for (std::thread& thread : stops) thread.join();
    {
        const std::lock_guard lock{impl.mutex};
        impl.stopping = true;
    }
    impl.stop_asked.notify_all();
    impl.board.stop();
    for (ReplaceableThread& thread : impl.threads) thread.join();
    if (impl.started && total.left_running == 0) {
        impl.guarded("unregister",
                     [&] { unregister_worker(impl.context.store, impl.context.owner); });
    }
    return total;
}

void Delivery::wake(const std::string& queue) { impl_->wake(queue); }

OutcomeBoard& Delivery::outcomes() { return impl_->board; }

void Delivery::pause(const std::string& channel, const std::string& reason) {
    ChannelGate& gate = impl_->require_gate(channel);
    Store& store = impl_->context.store;
    const TimeMs now = store.clock().now_ms();
    store.write([&](Transaction& tx) { tx.run(sql::channel_pause, {channel, reason, now}); });
    gate.pause(reason);
}

void Delivery::resume(const std::string& channel) {
    ChannelGate& gate = impl_->require_gate(channel);
    Store& store = impl_->context.store;
    const TimeMs now = store.clock().now_ms();
    store.write([&](Transaction& tx) { tx.run(sql::channel_resume, {now, channel}); });
    gate.resume();
    impl_->wake(channel);
}

void Delivery::credentials_are(const std::string& channel, int64_t mark) {
    const std::string name = "credentials:" + channel;
    const bool are_new = impl_->context.store.write([&](Transaction& tx) {
        const auto known = tx.first(sql::credentials_known, {name});
        if (known && known->number(0) == mark) return false;
        tx.run(sql::credentials_keep, {name, mark});
        const auto reason = tx.first(sql::channel_pause_reason, {channel});
        return known && reason && !reason->is_null(0) && reason->text(0) == "auth_failed";
    });
    if (!are_new) return;
    log_info("delivery", "a channel has new credentials and goes on", {{"channel", channel}});
    resume(channel);
}

std::optional<std::string> Delivery::paused(const std::string& channel) const {
    return impl_->require_gate(channel).paused();
}

SendLimits Delivery::limits(const std::string& channel) const {
    const auto gate = impl_->gate(channel);
    return gate ? SendLimits::of(gate->capabilities()) : SendLimits{};
}

std::vector<Delivery::QueueState> Delivery::state() const {
    std::vector<QueueState> states;
    for (const auto& [name, queue] : impl_->all()) {
        QueueState state{name, queue->runner->counters(), {}, false, std::nullopt};
        if (queue->gate) {
            state.sends = queue->gate->counters();
            state.breaker_open = queue->gate->is_breaker_open();
            state.paused = queue->gate->paused();
        }
        states.push_back(std::move(state));
    }
    return states;
}

}  // namespace patchbay
