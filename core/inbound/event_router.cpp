#include "inbound/event_router.hpp"

#include <array>
#include <atomic>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "base/replaceable_thread.hpp"
#include "base/work_record.hpp"
#include "inbound/statements.hpp"
#include "inbound/strangers.hpp"
#include "inbound/understand.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

// One write of the background: short, so that accepted webhooks behind it do not wait long.
constexpr int64_t slice_rows = 16;
// Under way to the writer at once; what is longer waits in the database, not in memory (G19).
constexpr size_t max_slices = 8;
constexpr size_t max_slice_bytes = 16 << 20;  // Of all of them together.
constexpr auto poll = 1s;                     // A wake-up is a hint only.
// From this age on routing goes before the acceptance of more: no row waits for a minute (G2).
constexpr TimeMs late_ms = 15'000;
constexpr TimeMs lease_ms = 30'000;
constexpr std::array<TimeMs, ingress_tries - 1> retry_delays_ms{1'000, 5'000, 25'000};
// Of what ends the plugin's process: the rest has to wait for another one each time.
constexpr size_t retries_of_a_killer = 1;

constexpr const char* receive_overran = "the plugin did not answer in time";

const Failpoint after_receive{"inbound.after_receive"};
const Failpoint after_route_commit{"inbound.after_route_commit"};

// Rows that are committed together. The writer may run its work more than once.
struct Slice {
    uint64_t number = 0;
    std::vector<Understood> rows;
    size_t bytes = 0;
    std::set<std::string> queues;  // That got jobs.
    size_t strangers = 0;          // Rows that were for an account that is not ours.

    void add(Understood one) {
        bytes += one.row.request.body.size();
        rows.push_back(std::move(one));
    }
};

// Order per contact is the order of the commits: what follows a slice that failed must not be
// committed before it.
struct SliceBefore : std::runtime_error {
    SliceBefore() : std::runtime_error("what came before could not be stored") {}
};

void end_row(Transaction& tx, int64_t id, const Routed& routed, TimeMs now) {
    tx.run(sql::ingress_end,
           {routed.state, routed.reason.empty() ? Value{} : Value{redact(routed.reason)}, now, id});
}

void try_again_or_bury(Transaction& tx, const IngressRow& row, const std::string& why, TimeMs now,
                       size_t retries = retry_delays_ms.size()) {
    if (row.attempts < static_cast<int64_t>(retries)) {
        tx.run(sql::ingress_again, {redact(why), now + retry_delays_ms[row.attempts], row.id});
    } else {
        end_row(tx, row.id, {.state = "dead", .reason = why}, now);
    }
}

}  // namespace

class EventRouter::InstanceRouter {
public:
    InstanceRouter(std::string instance, const CurrentConfig& config, Store& store,
                   const LeaseSource& leases, Mint& mint, std::string owner,
                   std::function<void(const std::string&)> wake)
        : instance_(std::move(instance)),
          config_(config),
          store_(store),
          leases_(leases),
          pipeline_(mint),
          owner_(std::move(owner)),
          wake_(std::move(wake)) {}

    void start() {
        thread_.start("event-router", [this] { run(); });
    }

    void notify() {
        std::lock_guard lock{mutex_};
        if (std::exchange(pending_, true)) return;
        changed_.notify_one();
    }

    void stop() {
        {
            std::lock_guard lock{mutex_};
            stopping_ = true;
            changed_.notify_one();
        }
        thread_.join();
    }

    bool hears_strangers() const { return strangers_.are_many(store_.clock().steady()); }

private:
    void run() {
        while (!stopped()) {
            bool more = false;
            try {
                more = route_slice();
            } catch (const std::exception& error) {
                log_error("inbound", "routing failed, will try again",
                          {{"instance", instance_}, {"error", error.what()}});
            }
            if (this_thread_is_lost()) return;
            if (!more) wait();
        }
        wait_for_slices(0);
        if (token_ != 0) {
            store_.write([this](Transaction& tx) {
                tx.run(sql::lease_release, {lease_name(), owner_});
            });
        }
    }

    bool stopped() {
        std::lock_guard lock{mutex_};
        return stopping_;
    }

    void wait() {
        std::unique_lock lock{mutex_};
        changed_.wait_for(lock, poll, [this] { return pending_ || stopping_ || failed_; });
        pending_ = false;
    }

    // Until at most so many slices are under way, and their bodies are few enough.
    void wait_for_slices(size_t count) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] {
            return slices_ <= count && (slices_ == 0 || slice_bytes_ <= max_slice_bytes);
        });
    }

    std::string lease_name() const { return "route:" + instance_; }

    bool take_lease() {
        if (token_ != 0) return true;
        token_ = store_.write([this](Transaction& tx) -> int64_t {
            const TimeMs now = store_.clock().now_ms();
            const auto row = tx.first(sql::lease_take, {lease_name(), owner_, now + lease_ms, now});
            return row ? row->number(0) : 0;
        });
        return token_ != 0;
    }

    // Rows that are under way look as if they were still to be routed, so reading goes on behind
    // them. Rows to try again lie before them: now and then all is waited for and begun anew.
    void begin_anew_when_due() {
        const auto now = store_.clock().steady();
        if (now - begun_anew_ >= poll) wait_for_slices(0);
        std::lock_guard lock{mutex_};
        if (slices_ > 0) return;
        read_up_to_ = 0;
        begun_anew_ = now;
    }

    // True when a full slice was there: more may wait.
    bool route_slice() {
        wait_for_slices(max_slices - 1);
        settle_failure();
        begin_anew_when_due();
        const PluginLeasePtr plugin = leases_(instance_);
        if (!plugin) return false;
        const Rows rows = store_.read([this](Session& session) {
            return session.run(sql::ingress_to_route,
                               {instance_, read_up_to_, store_.clock().now_ms(), slice_rows});
        });
        if (rows.empty() || !take_lease()) return false;

        const auto slice = std::make_shared<Slice>();
        const Abandonable here{[&](Rest& rest) {
            // Those before it were understood, and go their way with it; the rest is read again.
            const auto taken = std::make_shared<Slice>(*slice);
            taken->add({.row = IngressRow::from_row(rows[slice->rows.size()]),
                        .failure = receive_overran});
            rest.emplace_back([this, taken] { submit(taken); });
        }};
        for (const Row& row : rows) {
            IngressRow raw = IngressRow::from_row(row);
            const AtWork at{WorkKind::webhook, raw.id};
            Understood one = understand(*plugin, std::move(raw));
            if (this_thread_is_lost()) return false;
            if (one.is_untried) break;  // No attempt of it: it is read again.
            slice->add(std::move(one));
        }
        if (slice->rows.empty()) return false;
        after_receive.pass();
        const bool is_full = slice->rows.size() == static_cast<size_t>(slice_rows);
        submit(slice);
        return is_full;
    }

    void submit(const std::shared_ptr<Slice>& slice) {
        read_up_to_ = slice->rows.back().row.id;
        const TimeMs age = store_.clock().now_ms() - slice->rows.front().row.request.received_ms;
        {
            std::lock_guard lock{mutex_};
            slice->number = ++last_slice_;
            ++slices_;
            slice_bytes_ += slice->bytes;
        }
        try {
            store_.write_async([this, slice](Transaction& tx) { commit_in_order(tx, *slice); },
                               [this, slice](std::exception_ptr error) { ended(slice, error); },
                               age < late_ms ? Urgency::background : Urgency::overdue);
        } catch (const std::exception&) {
            ended(slice, std::current_exception());
        }
    }

    // On the writer thread, as ended(): one after the other, in the order of the slices.
    void commit_in_order(Transaction& tx, Slice& slice) {
        if (broken_at_ == slice.number) broken_at_ = 0;  // It runs again.
        if (broken_at_ != 0 && broken_at_ < slice.number) throw SliceBefore();
        try {
            commit(tx, slice);
        } catch (...) {
            broken_at_ = slice.number;
            throw;
        }
    }

    void commit(Transaction& tx, Slice& slice) {
        slice.queues.clear();
        slice.strangers = 0;
        check_lease(tx);
        for (const Understood& one : slice.rows) {
            const Routed routed = commit_row(tx, one);
            slice.queues.insert(routed.queues.begin(), routed.queues.end());
            if (routed.reason == reason_unknown_account) ++slice.strangers;
        }
    }

    void ended(const std::shared_ptr<Slice>& slice, const std::exception_ptr& error) {
        if (!error) tell(*slice);
        // Last: when no slice is under way any more, this router may end.
        std::lock_guard lock{mutex_};
        --slices_;
        slice_bytes_ -= slice->bytes;
        if (error && broken_at_ == 0) broken_at_ = slice->number;
        if (error && !failed_) failed_ = slice;
        changed_.notify_one();
    }

    void tell(const Slice& slice) try {
        after_route_commit.pass();
        if (strangers_.note(slice.strangers, store_.clock().steady())) {
            log_error("inbound", "many webhooks are for an account that is not configured",
                      {{"instance", instance_}});
        }
        for (const std::string& queue : slice.queues) wake_(queue);
    } catch (const std::exception& error) {
        log_error("inbound", "nobody was told of new jobs",
                  {{"instance", instance_}, {"error", error.what()}});
    }

    // Of the first slice that failed each row by itself, which finds the one that cannot be stored.
    // Those behind it are read again.
    void settle_failure() {
        {
            std::lock_guard lock{mutex_};
            if (!failed_) return;
        }
        wait_for_slices(0);
        const auto slice = std::exchange(failed_, nullptr);
        broken_at_ = 0;
        read_up_to_ = 0;
        for (Understood& one : slice->rows) commit_alone(std::move(one));
    }

    void commit_alone(Understood one) {
        Slice alone;
        alone.rows.push_back(std::move(one));
        try {
            store_.write([&](Transaction& tx) { commit(tx, alone); });
            for (const std::string& queue : alone.queues) wake_(queue);
        } catch (const StoreError& error) {
            if (error.kind != StoreError::Kind::constraint) throw;
            bury(alone.rows.front(), error.what());
        } catch (const std::exception& error) {
            bury(alone.rows.front(), error.what());
        }
    }

    void bury(const Understood& one, const std::string& why) {
        const LogScope scope({}, one.row.trace);
        log_error(
            "inbound", "webhook could not be routed",
            {{"instance", instance_}, {"ingress", std::to_string(one.row.id)}, {"error", why}});
        store_.write(
            [&](Transaction& tx) { try_again_or_bury(tx, one.row, why, store_.clock().now_ms()); });
    }

    void check_lease(Transaction& tx) {
        const TimeMs until = store_.clock().now_ms() + lease_ms;
        if (tx.change(sql::lease_check, {until, lease_name(), owner_, token_.load()}) == 0) {
            token_ = 0;
            throw StoreError(StoreError::Kind::unavailable, "the routing lease went elsewhere");
        }
    }

    // Of now; where a reload has just taken it away, this router is about to be stopped.
    std::shared_ptr<const InstanceConfig> configured() const {
        const ConfigPtr config = config_.get();
        if (const auto* found = find_instance(*config, instance_)) return {config, found};
        throw StoreError(StoreError::Kind::unavailable, "the instance is configured no more");
    }

    Routed commit_row(Transaction& tx, const Understood& one) {
        const TimeMs now = store_.clock().now_ms();
        if (!one.failure.empty()) {
            try_again_or_bury(tx, one.row, one.failure, now,
                              one.has_killed ? retries_of_a_killer : retry_delays_ms.size());
            return {};
        }
        Routed routed;
        if (!one.refusal.empty()) {
            routed.state = "ignored";
            routed.reason = one.refusal;
        } else {
            const auto instance = configured();
            routed = pipeline_.commit(tx, *instance, one.row.id, one.events, now, one.row.trace);
        }
        end_row(tx, one.row.id, routed, now);
        return routed;
    }

    const std::string instance_;
    const CurrentConfig& config_;
    Store& store_;
    const LeaseSource leases_;
    EventPipeline pipeline_;
    Strangers strangers_;
    const std::string owner_;
    const std::function<void(const std::string&)> wake_;
    std::atomic<int64_t> token_{0};
    std::atomic<uint64_t> broken_at_{0};  // The first slice that failed.
    int64_t read_up_to_ = 0;
    std::chrono::steady_clock::time_point begun_anew_{};

    std::mutex mutex_;
    std::condition_variable changed_;
    bool pending_ = true;
    bool stopping_ = false;
    uint64_t last_slice_ = 0;
    size_t slices_ = 0, slice_bytes_ = 0;  // Under way.
    std::shared_ptr<Slice> failed_;
    ReplaceableThread thread_;  // Last: what it uses is there until it has ended.
};

EventRouter::EventRouter(const CurrentConfig& config, Store& store, PluginHost& plugins, Mint& mint,
                         std::string owner, std::function<void(const std::string&)> wake)
    : EventRouter(config, store,
                  LeaseSource{[&plugins](const std::string& name) { return plugins.lease(name); }},
                  mint, std::move(owner), std::move(wake)) {}

EventRouter::EventRouter(const CurrentConfig& config, Store& store, const LeaseSource& leases,
                         Mint& mint, std::string owner,
                         std::function<void(const std::string&)> wake)
    : config_(config),
      store_(store),
      leases_(leases),
      mint_(mint),
      owner_(std::move(owner)),
      wake_(std::move(wake)) {
    const ConfigPtr now = config.get();
    for (const InstanceConfig& instance : now->plugins)
        routers_[instance.name] = make(instance.name);
}

EventRouter::~EventRouter() { stop(); }

std::shared_ptr<EventRouter::InstanceRouter> EventRouter::make(const std::string& instance) {
    return std::make_shared<InstanceRouter>(instance, config_, store_, leases_, mint_, owner_,
                                            wake_);
}

EventRouter::Routers EventRouter::routers() const {
    const std::shared_lock lock{mutex_};
    return routers_;
}

void EventRouter::start() {
    store_.write([this](Transaction& tx) { tx.run(sql::lease_take_back, {owner_}); });
    const std::unique_lock lock{mutex_};
    started_ = true;
    for (auto& [name, router] : routers_) router->start();
}

void EventRouter::end_others(const HubConfig& next) {
    Routers gone;
    {
        const std::unique_lock lock{mutex_};
        for (const auto& [name, router] : routers_)
            if (!find_instance(next, name)) gone[name] = router;
        for (const auto& [name, router] : gone) routers_.erase(name);
    }
    for (auto& [name, router] : gone) router->stop();
}

void EventRouter::follow() {
    const ConfigPtr config = config_.get();
    const std::unique_lock lock{mutex_};
    if (!started_ || stopped_) return;
    for (const InstanceConfig& instance : config->plugins) {
        auto& router = routers_[instance.name];
        if (router) continue;
        router = make(instance.name);
        router->start();
    }
}

void EventRouter::notify(const std::string& instance) {
    const std::shared_lock lock{mutex_};
    const auto router = routers_.find(instance);
    if (router != routers_.end()) router->second->notify();
}

std::vector<std::string> EventRouter::hearing_strangers() const {
    std::vector<std::string> instances;
    for (const auto& [name, router] : routers()) {
        if (router->hears_strangers()) instances.push_back(name);
    }
    return instances;
}

void EventRouter::stop() {
    {
        const std::unique_lock lock{mutex_};
        stopped_ = true;
    }
    for (auto& [name, router] : routers()) router->stop();
}

}  // namespace patchbay
