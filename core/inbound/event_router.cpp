#include "inbound/event_router.hpp"

#include <array>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "inbound/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr int64_t batch_rows = 100;
constexpr auto poll = 1s;  // A wake-up is a hint only.
constexpr auto receive_deadline = 1s;
constexpr TimeMs lease_ms = 30'000;
constexpr std::array<TimeMs, 3> retry_delays_ms{1'000, 5'000, 25'000};

const Failpoint after_receive{"inbound.after_receive"};
const Failpoint after_route_commit{"inbound.after_route_commit"};

struct Understood {
    IngressRow row;
    std::vector<Event> events;
    std::string refusal;  // A RequestError of the plugin: the body is at fault, trying again would
                          // not mend it.
    std::string failure;  // Anything else.
};

Understood understand(PluginLease& plugin, IngressRow row) {
    Understood result{std::move(row), {}, {}, {}};
    try {
        result.events = plugin.receive(Call{.left = receive_deadline}, result.row.request);
    } catch (const Error& error) {
        (error.kind == ErrorKind::request ? result.refusal : result.failure) = error.what();
    } catch (const std::exception& error) {
        result.failure = error.what();
    }
    return result;
}

void end_row(Transaction& tx, int64_t id, const Routed& routed, TimeMs now) {
    tx.run(sql::ingress_end,
           {routed.state, routed.reason.empty() ? Value{} : Value{routed.reason}, now, id});
}

void try_again_or_bury(Transaction& tx, const IngressRow& row, const std::string& why, TimeMs now) {
    if (row.attempts < static_cast<int64_t>(retry_delays_ms.size())) {
        tx.run(sql::ingress_again, {why, now + retry_delays_ms[row.attempts], row.id});
    } else {
        end_row(tx, row.id, {.state = "dead", .reason = why}, now);
    }
}

}  // namespace

class EventRouter::InstanceRouter {
public:
    InstanceRouter(const InstanceConfig& instance, const HubConfig& config, Store& store,
                   PluginHost& plugins, Mint& mint, std::string owner,
                   std::function<void(const std::string&)> wake)
        : instance_(instance),
          store_(store),
          plugins_(plugins),
          pipeline_(config, mint),
          owner_(std::move(owner)),
          wake_(std::move(wake)) {}

    void start() {
        thread_ = std::thread{[this] { run(); }};
    }

    void notify() {
        std::lock_guard lock{mutex_};
        pending_ = true;
        changed_.notify_one();
    }

    void stop() {
        {
            std::lock_guard lock{mutex_};
            stopping_ = true;
            changed_.notify_one();
        }
        if (thread_.joinable()) thread_.join();
    }

private:
    void run() {
        while (!stopped()) {
            bool more = false;
            try {
                more = route_batch();
            } catch (const std::exception& error) {
                log_error("inbound", "routing failed, will try again",
                          {{"instance", instance_.name}, {"error", error.what()}});
            }
            if (!more) wait();
        }
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
        changed_.wait_for(lock, poll, [this] { return pending_ || stopping_; });
        pending_ = false;
    }

    std::string lease_name() const { return "route:" + instance_.name; }

    bool take_lease() {
        if (token_ != 0) return true;
        token_ = store_.write([this](Transaction& tx) -> int64_t {
            const TimeMs now = store_.clock().now_ms();
            const auto row = tx.first(sql::lease_take, {lease_name(), owner_, now + lease_ms, now});
            return row ? row->number(0) : 0;
        });
        return token_ != 0;
    }

    // True when a full batch was there: more may wait.
    bool route_batch() {
        const PluginLeasePtr plugin = plugins_.lease(instance_.name);
        if (!plugin) return false;
        const Rows rows = store_.read([this](Session& session) {
            return session.run(sql::ingress_to_route,
                               {instance_.name, store_.clock().now_ms(), batch_rows});
        });
        if (rows.empty() || !take_lease()) return false;

        std::vector<Understood> batch;
        for (const Row& row : rows) batch.push_back(understand(*plugin, IngressRow::from_row(row)));
        after_receive.pass();
        try {
            commit(batch);
        } catch (const std::exception&) {
            for (Understood& one : batch)
                commit_alone(one);  // Finds the one that cannot be stored.
        }
        after_route_commit.pass();
        return rows.size() == static_cast<size_t>(batch_rows);
    }

    void commit(const std::vector<Understood>& batch) {
        const std::set<std::string> queues = store_.write([&](Transaction& tx) {
            check_lease(tx);
            std::set<std::string> woken;
            for (const Understood& one : batch) {
                const Routed routed = commit_row(tx, one);
                woken.insert(routed.queues.begin(), routed.queues.end());
            }
            return woken;
        });
        for (const std::string& queue : queues) wake_(queue);
    }

    void commit_alone(Understood& one) {
        try {
            commit({one});
        } catch (const StoreError& error) {
            if (error.kind != StoreError::Kind::constraint) throw;
            bury(one, error.what());
        } catch (const std::exception& error) {
            bury(one, error.what());
        }
    }

    void bury(const Understood& one, const std::string& why) {
        log_error("inbound", "webhook could not be routed",
                  {{"instance", instance_.name},
                   {"ingress", std::to_string(one.row.id)},
                   {"error", why}});
        store_.write(
            [&](Transaction& tx) { try_again_or_bury(tx, one.row, why, store_.clock().now_ms()); });
    }

    void check_lease(Transaction& tx) {
        const TimeMs until = store_.clock().now_ms() + lease_ms;
        if (!tx.first(sql::lease_check, {until, lease_name(), owner_, token_})) {
            token_ = 0;
            throw StoreError(StoreError::Kind::unavailable, "the routing lease went elsewhere");
        }
    }

    Routed commit_row(Transaction& tx, const Understood& one) {
        const TimeMs now = store_.clock().now_ms();
        if (!one.failure.empty()) {
            try_again_or_bury(tx, one.row, one.failure, now);
            return {};
        }
        Routed routed;
        if (!one.refusal.empty()) {
            routed.state = "ignored";
            routed.reason = one.refusal;
        } else {
            routed = pipeline_.commit(tx, instance_, one.row.id, one.events, now);
        }
        end_row(tx, one.row.id, routed, now);
        return routed;
    }

    const InstanceConfig& instance_;
    Store& store_;
    PluginHost& plugins_;
    EventPipeline pipeline_;
    const std::string owner_;
    const std::function<void(const std::string&)> wake_;
    int64_t token_ = 0;

    std::mutex mutex_;
    std::condition_variable changed_;
    bool pending_ = true;
    bool stopping_ = false;
    std::thread thread_;
};

EventRouter::EventRouter(const HubConfig& config, Store& store, PluginHost& plugins, Mint& mint,
                         std::string owner, std::function<void(const std::string&)> wake)
    : store_(store), owner_(std::move(owner)) {
    for (const InstanceConfig& instance : config.plugins) {
        routers_[instance.name] =
            std::make_unique<InstanceRouter>(instance, config, store, plugins, mint, owner_, wake);
    }
}

EventRouter::~EventRouter() { stop(); }

void EventRouter::start() {
    store_.write([this](Transaction& tx) { tx.run(sql::lease_take_back, {owner_}); });
    for (auto& [name, router] : routers_) router->start();
}

void EventRouter::notify(const std::string& instance) {
    const auto router = routers_.find(instance);
    if (router != routers_.end()) router->second->notify();
}

void EventRouter::stop() {
    for (auto& [name, router] : routers_) router->stop();
}

}  // namespace patchbay
