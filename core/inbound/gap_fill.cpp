#include "inbound/gap_fill.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "inbound/statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr auto look_every = 10s;
constexpr TimeMs outage_ms = 60'000;
constexpr TimeMs overlap_ms = 5 * 60'000;  // Webhooks may be late, and so may our last look.
constexpr TimeMs day_ms = 24 * 3'600'000;
constexpr std::chrono::milliseconds list_deadline = 60s;
constexpr std::array<TimeMs, 4> retry_delays_ms{5'000, 30'000, 120'000, 600'000};

// A mark from the future was made before the clock was set back: the gap may have any length.
TimeMs since(TimeMs seen, TimeMs now) { return seen > now ? now - day_ms : seen - overlap_ms; }

std::map<std::string, TimeMs> last_seen(Store& store) {
    std::map<std::string, TimeMs> seen;
    for (const Row& row : store.read([](Session& s) { return s.run(sql::channel_seen_all); })) {
        seen[row.text(0)] = row.number(1);
    }
    return seen;
}

}  // namespace

GapFill::GapFill(const CurrentConfig& config, Store& store, LeaseSource leases, Mint& mint,
                 std::function<void(const std::string&)> wake)
    : config_(config),
      store_(store),
      leases_(std::move(leases)),
      pipeline_(mint),
      wake_(std::move(wake)) {}

GapFill::~GapFill() { stop(); }

void GapFill::start() {
    thread_.start("gap-fill", [this] { run(); });
}

void GapFill::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    stop_asked_.notify_all();
    thread_.join();
}

void GapFill::run() {
    std::unique_lock lock{mutex_};
    while (!stopping_) {
        lock.unlock();
        try {
            step();
        } catch (const std::exception& error) {
            // The marks stay behind meanwhile, and so show the outage afterwards.
            log_warn("inbound", "could not look for gaps, will try again",
                     {{"error", error.what()}});
        }
        if (this_thread_is_lost()) return;
        lock.lock();
        stop_asked_.wait_for(lock, look_every, [this] { return stopping_; });
    }
}

void GapFill::step() {
    const std::map<std::string, TimeMs> seen = last_seen(store_);
    const TimeMs now = store_.clock().now_ms();
    const ConfigPtr config = config_.get();
    for (const InstanceConfig& instance : config->plugins) {
        const auto known = seen.find(instance.name);
        look_at(instance, known == seen.end() ? 0 : known->second, now);
        if (this_thread_is_lost()) return;
    }
}

void GapFill::look_at(const InstanceConfig& instance, TimeMs seen, TimeMs now) {
    Progress& progress = progress_[instance.name];
    if (now < progress.again_at) return;
    const PluginLeasePtr plugin = leases_(instance.name);
    if (!plugin || !plugin->provides(Channel::interface_id)) return;
    if (!plugin->capabilities().list_since) return;
    const Abandonable here{[&](Rest& rest) {
        rest.emplace_back([this, name = instance.name] {
            note_failure(name, "the plugin did not answer in time");
        });
    }};
    try {
        const bool has_gap = !progress.filled || now - seen > outage_ms;
        if (seen != 0 && has_gap) fill(instance, *plugin, since(seen, now));
        // Only now, and as of the begin: a process that dies on the way asks again.
        store_.write([&](Transaction& tx) { tx.run(sql::channel_seen, {instance.name, now}); });
        progress = {.filled = true};
    } catch (const std::exception& error) {
        if (!this_thread_is_lost()) note_failure(instance.name, error.what());
    }
}

void GapFill::note_failure(const std::string& instance, const char* why) {
    Progress& progress = progress_[instance];
    const size_t last = retry_delays_ms.size() - 1;
    progress.again_at =
        store_.clock().now_ms() + retry_delays_ms[std::min<size_t>(progress.failures++, last)];
    log_warn("inbound", "what came during the outage could not be fetched, will try again",
             {{"instance", instance}, {"error", why}});
}

void GapFill::fill(const InstanceConfig& instance, PluginLease& plugin, TimeMs since) {
    const auto events = plugin.list_since(Call{.left = list_deadline}, since);
    size_t missed = 0;
    for (const Event& event : events) missed += take_in(instance, event) ? 1 : 0;
    if (missed == 0) return;
    log_info("inbound", "fetched what came during the outage",
             {{"instance", instance.name}, {"events", std::to_string(missed)}});
}

// True when it was new. One that the store refuses must not hold up the others.
bool GapFill::take_in(const InstanceConfig& instance, const Event& event) {
    Routed routed;
    try {
        routed = store_.write([&](Transaction& tx) {
            return pipeline_.commit(tx, instance, 0, {event}, store_.clock().now_ms());
        });
    } catch (const StoreError& error) {
        if (error.kind != StoreError::Kind::constraint) throw;
        log_error("inbound", "an event that was fetched could not be stored",
                  {{"instance", instance.name}, {"error", error.what()}});
    } catch (const Error& error) {
        log_error("inbound", "an event that was fetched is broken",
                  {{"instance", instance.name}, {"error", error.what()}});
    }
    for (const std::string& queue : routed.queues) wake_(queue);
    return routed.events > 0;
}

}  // namespace patchbay
