#include "plugins/process/child_plugin.hpp"

#include <pthread.h>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "plugins/deadlines.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const Family<Counter> restarts_total{"patchbay_plugin_restarts_total",
                                     "Processes of a plugin that died and were started again.",
                                     {"instance"}};
const Family<Counter> recycled_total{
    "patchbay_plugin_recycled_total",
    "Processes of a plugin that were replaced before their memory ran out.",
    {"instance"}};

// The clock of a test moves without telling anybody.
constexpr auto look_at_clock = 20ms;

std::filesystem::path program() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path() / "patchbay-plugin-host";
}

}  // namespace

ChildPlugin::ChildPlugin(PluginOrigin origin)
    : instance_(origin.instance),
      is_exclusive_((origin.file.stamp.flags & PB_FLAG_EXCLUSIVE) != 0),
      clock_(origin.clock),
      told_(std::move(origin.changed)),
      copy_(origin.file, origin.staging),
      host_calls_("pb-host-call", ChildProcess::host_threads(instance_.limits.concurrency), 1'024),
      options_{.program = program(),
               .library = copy_.path(),
               .instance = instance_.name,
               .plugin = origin.file.stamp.name,
               .memory_bytes = instance_.limits.memory_bytes,
               .files = instance_.limits.files,
               .concurrency = instance_.limits.concurrency,
               .serve = std::move(origin.serve),
               .on_change =
                   [this] {
                       const std::lock_guard lock(mutex_);
                       changed_.notify_all();
                   }},
      budget_(instance_.restart.max, instance_.restart.per) {
    try {
        current_ = start_process();
        current_->wait_loaded(life_deadline);
    } catch (...) {
        end();
        throw;
    }
    restarts_total.with({instance_.name});
}

ChildPlugin::~ChildPlugin() { end(); }

ChildPlugin::ChildPtr ChildPlugin::start_process() {
    return ChildProcess::start(options_, host_calls_);
}

std::string ChildPlugin::describe() {
    return running(check_deadline)->ask(FrameKind::describe, 0, {}, check_deadline);
}

void ChildPlugin::check_config(std::string_view config) {
    running(check_deadline)->ask(FrameKind::check_config, 0, config, check_deadline);
}

void ChildPlugin::create(std::string_view config) {
    running(life_deadline)->ask(FrameKind::create, 0, config, life_deadline);
    config_ = config;
    supervisor_ = std::thread([this] { supervise(); });
    ::pthread_setname_np(supervisor_.native_handle(), "pb-restart");
}

void ChildPlugin::reconfigured(std::string_view config) {
    const std::lock_guard lock(mutex_);
    config_ = config;
}

std::string ChildPlugin::call(uint32_t method, std::string_view in,
                              std::chrono::milliseconds left) {
    const auto until = std::chrono::steady_clock::now() + left;
    for (;;) {
        left = std::chrono::duration_cast<std::chrono::milliseconds>(
            until - std::chrono::steady_clock::now());
        if (left.count() <= 0)
            throw Error(ErrorKind::unavailable, "there was no time left for the call");
        const ChildPtr child = running(left);
        try {
            return child->ask(FrameKind::call, method, in, left);
        } catch (const ChildProcess::Replaced&) {
        }
    }
}

// Waits only while a process is being replaced that is full, or that must be alone: that is soon
// over.
ChildPlugin::ChildPtr ChildPlugin::running(std::chrono::milliseconds left) {
    std::unique_lock lock(mutex_);
    const auto is_lost = [&] { return current_ && current_->is_lost(); };
    const auto can_take = [&] { return current_ && !current_->is_full() && !is_lost(); };
    const bool is_settled = changed_.wait_for(lock, left, [&] {
        return can_take() || is_lost() || is_stopping_ || state_.condition != Condition::running;
    });
    if (is_stopping_) throw Error(ErrorKind::stopping, "the instance is being destroyed");
    if (can_take()) return current_;
    if (!is_settled) throw ConnectionFailed(false, "the plugin's process is being replaced");
    const char* const what = state_.condition == Condition::failed
                                 ? "the plugin's process is not started again: "
                                 : "the plugin's process is being started again: ";
    throw ConnectionFailed(false, what + (is_lost() ? current_->why_lost() : state_.reason));
}

bool ChildPlugin::end() {
    ChildPtr current, starting;
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
        current = std::exchange(current_, nullptr);
        starting = starting_;
    }
    changed_.notify_all();
    if (starting) starting->kill("the instance is being destroyed");
    if (supervisor_.joinable()) supervisor_.join();
    if (current) current->end(life_deadline);
    current.reset();
    starting.reset();
    host_calls_.stop();
    copy_.remove();
    return true;
}

LoadedPlugin::State ChildPlugin::state() const {
    const std::lock_guard lock(mutex_);
    // supervise() may not have seen it yet.
    if (current_ && current_->is_lost()) return {Condition::restarting, current_->why_lost()};
    return state_;
}

// ---- The thread that starts processes again ----

void ChildPlugin::supervise() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [&] {
            return is_stopping_ ||
                   (current_ && (current_->is_dead() || current_->wants_replacing()));
        });
        if (is_stopping_) return;
        const bool is_dead = current_->is_dead();
        const std::string reason = is_dead ? current_->why_lost() : replace(lock);
        if (!reason.empty()) restart(lock, reason);
    }
}

// None runs: until another one does, or the budget is spent.
void ChildPlugin::restart(std::unique_lock<std::mutex>& lock, const std::string& reason) {
    ChildPtr dead = std::exchange(current_, nullptr);
    state_ = {Condition::restarting, reason};
    lock.unlock();
    dead.reset();
    log_error("plugins", "a plugin's process died",
              {{"instance", instance_.name}, {"reason", reason}});
    lock.lock();
    tell(lock);
    while (!is_stopping_ && state_.condition == Condition::restarting) {
        if (wait_before_restart(lock)) start_again(lock);
    }
    changed_.notify_all();
    tell(lock);
}

void ChildPlugin::tell(std::unique_lock<std::mutex>& lock) {
    if (!told_ || is_stopping_) return;
    lock.unlock();
    told_();
    lock.lock();
}

// False: not to be started now.
bool ChildPlugin::wait_before_restart(std::unique_lock<std::mutex>& lock) {
    const auto now = clock_.steady();
    const auto delay = budget_.take(now);
    if (!delay) {
        state_.condition = Condition::failed;
        state_.reason = "the process died more than " + std::to_string(instance_.restart.max) +
                        " times in " + std::to_string(instance_.restart.per.count() / 1'000) +
                        " s, at last: " + state_.reason;
        log_error("plugins", "a plugin's process is not started again",
                  {{"instance", instance_.name}, {"reason", state_.reason}});
        return false;
    }
    while (!is_stopping_ && clock_.steady() - now < *delay) changed_.wait_for(lock, look_at_clock);
    return !is_stopping_;
}

void ChildPlugin::start_again(std::unique_lock<std::mutex>& lock) {
    restarts_total.with({instance_.name}).add();
    try {
        current_ = make_created(lock);
        state_.condition = Condition::running;
        log_info("plugins", "a plugin's process runs again", {{"instance", instance_.name}});
    } catch (const std::exception& error) {
        state_.reason = error.what();
        log_error("plugins", "a plugin's process could not be started again",
                  {{"instance", instance_.name}, {"reason", error.what()}});
    }
}

// Unlocks while it works.
ChildPlugin::ChildPtr ChildPlugin::make_created(std::unique_lock<std::mutex>& lock) {
    const std::string config = config_;
    lock.unlock();
    ChildPtr child;
    std::exception_ptr failure;
    try {
        child = start_process();
        {
            const std::lock_guard now(mutex_);
            starting_ = child;
        }
        child->wait_loaded(life_deadline);
        child->ask(FrameKind::create, 0, config, life_deadline);
    } catch (...) {
        failure = std::current_exception();
    }
    lock.lock();
    starting_ = nullptr;  // Not the last reference.
    if (!failure && !is_stopping_) return child;
    lock.unlock();
    child.reset();
    lock.lock();
    if (failure) std::rethrow_exception(failure);
    throw Error(ErrorKind::stopping, "the instance is being destroyed");
}

// Short of memory: the new one first, then the old one ends its calls. An exclusive plugin has no
// two at a time: who calls waits. Empty, or why there is none now.
std::string ChildPlugin::replace(std::unique_lock<std::mutex>& lock) {
    ChildPtr old = current_;
    const auto retire = [&] {
        lock.unlock();
        old->close(instance_.limits.drain_timeout);
        old->end(life_deadline);
        old.reset();
        lock.lock();
    };
    if (is_exclusive_) {
        current_ = nullptr;
        retire();
    }
    std::string failure;
    try {
        current_ = make_created(lock);
        recycled_total.with({instance_.name}).add();
        log_info("plugins", "a plugin's process was replaced, its memory was nearly used up",
                 {{"instance", instance_.name}});
    } catch (const std::exception& error) {
        failure = std::string("it could not be replaced: ") + error.what();
        current_ = nullptr;
    }
    changed_.notify_all();
    if (old) retire();
    return failure;
}

}  // namespace patchbay
