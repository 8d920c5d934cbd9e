// D19: timers of a plugin, on a clock that the checker moves.
#include <map>
#include <patchbay/detail/methods.hpp>

#include "checker/exercise.hpp"
#include "checker/trial.hpp"

namespace patchbay::checker {
namespace {

constexpr int most_firings = 20;

struct Timer {
    uint64_t number = 0;
    std::string name, payload;
    milliseconds period{0};  ///< 0: once
};

/// timers/1 of the played hub. Not thread-safe: the plugin is called by one thread.
class VirtualTimers {
public:
    explicit VirtualTimers(PlayedHub& hub) : clock_(hub.services.clock) {
        hub.services.play(method::timer_every, [this](std::string_view in) {
            Timer timer;
            wire::unpack(in, wire::Text::checked, timer.period, timer.name);
            if (timer.period.count() <= 0)
                throw Error(ErrorKind::refused, "a period has to be longer than nothing");
            return arm(timer.period, timer);
        });
        hub.services.play(method::timer_after, [this](std::string_view in) {
            Timer timer;
            milliseconds delay{};
            wire::unpack(in, wire::Text::checked, delay, timer.name, timer.payload);
            return arm(delay, timer);
        });
        hub.services.play(method::timer_cancel, [this](std::string_view in) {
            uint64_t number = 0;
            wire::unpack(in, wire::Text::checked, number);
            std::erase_if(armed_, [&](const auto& one) { return one.second.number == number; });
            return std::string();
        });
    }

    bool empty() const { return armed_.empty(); }
    /// Moves the clock to the next one that is due, and arms it again if it is to come again.
    Timer take_next() {
        const auto [due, timer] = *armed_.begin();
        armed_.erase(armed_.begin());
        clock_.set(std::max(due, clock_.now_ms()));
        if (timer.period.count() > 0) armed_.emplace(clock_.now_ms() + timer.period.count(), timer);
        return timer;
    }

private:
    std::string arm(milliseconds wait, Timer timer) {
        timer.number = ++last_;
        armed_.emplace(clock_.now_ms() + wait.count(), timer);
        return wire::pack(timer.number);
    }

    ManualClock& clock_;
    std::multimap<TimeMs, Timer> armed_;
    uint64_t last_ = 0;
};

void fire(Instance& instance, const Timer& timer) {
    const Answer answer = instance.call(method::on_timer, timer.name, timer.payload);
    if (answer.is_foreign())
        throw Failed{"on_timer(\"" + timer.name + "\") answers " + answer.words()};
}

}  // namespace

Verdict check_timers(const Subject& subject) {
    PlayedHub hub;
    VirtualTimers timers(hub);
    Copy copy(subject);
    Instance& instance = copy.start(hub.host());
    exercise(subject, instance, hub);
    fire(instance, {.name = "check_unknown"});
    const bool has_any = !timers.empty();
    for (int i = 0; i < most_firings && !timers.empty(); ++i) fire(instance, timers.take_next());
    copy.end();
    if (!has_any) throw Skipped{"it sets no timers"};
    return {};
}

}  // namespace patchbay::checker
