#include "plugins/services/timer_service.hpp"

#include <pthread.h>

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>

#include "base/log.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr unsigned threads = 16;
constexpr size_t max_waiting = 1'000;  // Calls of each instance.
constexpr size_t max_timers = 1'000;   // Of each instance.
constexpr auto shortest_period = 100ms;
constexpr auto once_it_has_ended = 100ms;  // A timer that rings once, while its name still works.
constexpr auto longest_sleep = 1h;

}  // namespace

PluginTimers::PluginTimers(const Clock& clock, Leases leases)
    : clock_(clock), leases_(std::move(leases)), pool_("plugin-timers", threads, max_waiting) {}

PluginTimers::~PluginTimers() { stop(); }

void PluginTimers::start() {
    thread_ = std::thread([this] { watch_clock(); });
    pthread_setname_np(thread_.native_handle(), "timers");
}

void PluginTimers::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    pool_.stop();
}

// ---- timers/1 ----

uint64_t PluginTimers::every(const ServiceCaller& caller, std::chrono::milliseconds period,
                             const std::string& name) {
    if (period < shortest_period)
        throw Error(ErrorKind::request, "the period of a timer is 100 ms at least");
    return add(caller,
               {.instance = {}, .name = name, .payload = {}, .delay = period, .period = period});
}

uint64_t PluginTimers::after(const ServiceCaller& caller, std::chrono::milliseconds delay,
                             const std::string& name, const std::string& payload) {
    return add(caller,
               {.instance = {}, .name = name, .payload = payload, .delay = std::max(delay, 0ms)});
}

uint64_t PluginTimers::add(const ServiceCaller& caller, Timer timer) {
    const std::lock_guard lock(mutex_);
    Instance& own = instances_[caller.instance];
    if (own.timers >= max_timers)
        throw Error(ErrorKind::rate_limited, "the instance has 1,000 timers already");
    timer.instance = caller.instance;
    timer.generation = caller.generation;
    timer.armed = caller.generation == own.generation;
    timer.due = clock_.steady() + timer.delay;
    ++own.timers;
    timers_.emplace(++last_number_, std::move(timer));
    changed_.notify_all();
    return last_number_;
}

void PluginTimers::erase(std::map<uint64_t, Timer>::iterator timer) {
    --instances_[timer->second.instance].timers;
    timers_.erase(timer);
}

void PluginTimers::cancel(const ServiceCaller& caller, uint64_t number) {
    const std::lock_guard lock(mutex_);
    const auto found = timers_.find(number);
    if (found != timers_.end() && found->second.instance == caller.instance) erase(found);
}

void PluginTimers::switched(const std::string& instance, int64_t generation) {
    const std::lock_guard lock(mutex_);
    Instance& own = instances_[instance];
    own.generation = generation;
    for (auto at = timers_.begin(); at != timers_.end();) {
        const auto timer = at++;
        if (timer->second.instance != instance) continue;
        if (timer->second.generation != generation) {
            erase(timer);
            continue;
        }
        timer->second.armed = true;
        timer->second.due = clock_.steady() + timer->second.delay;
    }
    for (Task& task : std::exchange(own.waiting, {}))
        if (task.generation == generation) begin(instance, std::move(task));
    changed_.notify_all();
}

void PluginTimers::look_at_clock() {
    const std::lock_guard lock(mutex_);
    const Time now = clock_.steady();
    for (auto at = timers_.begin(); at != timers_.end();) {
        const auto found = at++;
        Timer& timer = found->second;
        if (!timer.armed || timer.due > now) continue;
        const bool rang = ring(timer);
        if (timer.period.count() > 0) {
            // What was missed is not made up for.
            timer.due += timer.period * ((now - timer.due) / timer.period + 1);
        } else if (rang) {
            erase(found);
        } else {
            timer.due = now + once_it_has_ended;
        }
    }
}

// False: its name is still at work, or there is no room.
bool PluginTimers::ring(const Timer& timer) {
    std::set<std::string>& ringing = instances_[timer.instance].ringing;
    if (!ringing.insert(timer.name).second) return false;
    const bool posted =
        pool_.post(timer.instance, [this, instance = timer.instance, name = timer.name,
                                    payload = timer.payload, generation = timer.generation] {
            try {
                const PluginLeasePtr plugin = leases_(instance);
                if (plugin && plugin->generation() == generation) plugin->on_timer(name, payload);
            } catch (const std::exception& error) {
                log_warn(instance, "a timer failed", {{"timer", name}, {"reason", error.what()}});
            }
            const std::lock_guard lock(mutex_);
            instances_[instance].ringing.erase(name);
            --under_way_;
        });
    if (posted)
        ++under_way_;
    else
        ringing.erase(timer.name);
    return posted;
}

PluginTimers::Time PluginTimers::next_due() const {
    Time next = clock_.steady() + longest_sleep;
    for (const auto& [number, timer] : timers_)
        if (timer.armed) next = std::min(next, timer.due);
    return next;
}

void PluginTimers::watch_clock() {
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            if (stopping_) return;
            changed_.wait_until(lock, next_due());
            if (stopping_) return;
        }
        look_at_clock();
    }
}

bool PluginTimers::is_idle() const {
    const std::lock_guard lock(mutex_);
    return under_way_ == 0;
}

// ---- tasks/1 ----

void PluginTimers::post(const ServiceCaller& caller, const std::string& name,
                        const std::string& payload) {
    const std::lock_guard lock(mutex_);
    Instance& own = instances_[caller.instance];
    Task task{name, payload, caller.generation};
    const bool serves = caller.generation == own.generation;
    const bool has_room =
        serves ? begin(caller.instance, std::move(task)) : own.waiting.size() < max_waiting;
    if (!has_room) throw Error(ErrorKind::rate_limited, "too many tasks of the instance wait");
    if (!serves) own.waiting.push_back(std::move(task));
}

bool PluginTimers::begin(const std::string& instance, Task task) {
    const bool posted = pool_.post(instance, [this, instance, task = std::move(task)] {
        try {
            const PluginLeasePtr plugin = leases_(instance);
            if (plugin && plugin->generation() == task.generation)
                plugin->on_task(task.name, task.payload);
        } catch (const std::exception& error) {
            log_warn(instance, "a task failed", {{"task", task.name}, {"reason", error.what()}});
        }
        const std::lock_guard lock(mutex_);
        --under_way_;
    });
    if (posted) ++under_way_;
    return posted;
}

void register_timer_service(HostServices& services, PluginTimers& timers) {
    const auto add = [&](const char* interface_id, uint32_t number, auto function) {
        services.register_method(
            interface_id, number,
            [&timers, function](const ServiceCaller& caller, std::string_view in) {
                return function(timers, caller, in);
            });
    };
    using All = PluginTimers&;
    using By = const ServiceCaller&;
    add("timers/1", method::timer_every, [](All all, By caller, std::string_view in) {
        std::chrono::milliseconds period{0};
        std::string name;
        wire::unpack(in, wire::Text::checked, period, name);
        return wire::pack(all.every(caller, period, name));
    });
    add("timers/1", method::timer_after, [](All all, By caller, std::string_view in) {
        std::chrono::milliseconds delay{0};
        std::string name, payload;
        wire::unpack(in, wire::Text::checked, delay, name, payload);
        return wire::pack(all.after(caller, delay, name, payload));
    });
    add("timers/1", method::timer_cancel, [](All all, By caller, std::string_view in) {
        uint64_t number = 0;
        wire::unpack(in, wire::Text::checked, number);
        all.cancel(caller, number);
        return std::string{};
    });
    add("tasks/1", method::post, [](All all, By caller, std::string_view in) {
        std::string name, payload;
        wire::unpack(in, wire::Text::checked, name, payload);
        all.post(caller, name, payload);
        return std::string{};
    });
}

}  // namespace patchbay
