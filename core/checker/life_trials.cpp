// D01, D04, D06, D13, D16: copies and instances come and go.
#include <future>
#include <patchbay/detail/methods.hpp>
#include <thread>

#include "checker/exercise.hpp"
#include "checker/resources.hpp"
#include "checker/slowness.hpp"
#include "checker/trial.hpp"

namespace patchbay::checker {
namespace {

constexpr int rounds = 20;
constexpr milliseconds longest_load{100};
constexpr size_t most_heap_per_life = 512;

// Calls that the played hub would keep a record of: memory of the checker's, not of the plugin's.
HostCall forgetful(PlayedHub& hub) {
    return [host = hub.host()](uint32_t number, std::string_view in) {
        switch (number) {
            case method::log:
            case method::count:
            case method::gauge:
            case method::observe:
            case method::publish:
                return std::string();
            default:
                return host(number, in);
        }
    };
}

void require_health(const Subject& subject, Instance& instance, const std::string& when) {
    if (!subject.provides(HealthCheck::interface_id)) return;
    const Answer answer = instance.call(method::health, Call{.left = milliseconds{1'000}});
    if (answer.kind == ErrorKind::unsupported) return;  // It asks for what is not played here.
    if (!answer.ok()) throw Failed{"health() answers " + answer.words() + when};
    const auto health = answer.as<Health>();
    if (health.state == Health::down) throw Failed{"it says that it is down" + when};
}

std::string exported_state(Instance& instance) {
    const Answer answer = instance.call(method::export_state);
    if (!answer.ok()) throw Failed{"export_state() answers " + answer.words()};
    return answer.as<wire::Bytes>().data;
}

void hand_over(const Subject& subject, const std::string& state, Instance& to) {
    const auto import = [&](const std::string& version, const std::string& bytes) {
        return to.call(method::import_state, version, wire::Bytes{bytes});
    };
    for (const std::string& garbage : {std::string(), std::string("\xFF\0{", 3), "x" + state}) {
        const Answer answer = import("0.0.1", garbage);
        if (answer.is_foreign())
            throw Failed{"import_state() of an unreadable state answers " + answer.words()};
    }
    const Answer answer = import(subject.file.stamp.version, state);
    if (!answer.ok()) throw Failed{"import_state() of its own state answers " + answer.words()};
}

void drain_and_end(Copy& copy) {
    const Answer answer = copy.instance().call(method::drain, milliseconds{1'000});
    if (!answer.ok()) throw Failed{"drain() answers " + answer.words()};
    copy.end();
}

}  // namespace

Verdict check_load(const Subject& subject) {
    auto quickest = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < rounds; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        Copy copy(subject);
        copy.end();
        quickest = std::min(quickest, std::chrono::steady_clock::now() - begin);
    }
    // The quickest: the others may have waited for the machine.
    const auto took = std::chrono::duration_cast<milliseconds>(quickest);
    if (took > longest_load * slowness)
        throw Failed{"loading and unloading takes " + std::to_string(took.count()) + " ms"};
    return {};
}

Verdict check_create(const Subject& subject) {
    PlayedHub hub;
    Copy copy(subject);
    Instance& instance = copy.start(hub.host());
    require_health(subject, instance, "");
    instance.destroy();
    // A thread that was forgotten gets the time to give itself away.
    std::this_thread::sleep_for(milliseconds{30});
    copy.end();
    if (const int calls = instance.calls_after_destroy())
        throw Failed{std::to_string(calls) + " host calls came after it was destroyed"};
    return {};
}

Verdict check_lives(const Subject& subject) {
    constexpr int warm_up = 3;  // What is made once and kept is no leak.
    PlayedHub hub;
    Copy copy(subject);
    Resources before;
    for (int i = 0; i < warm_up + rounds; ++i) {
        if (i == warm_up) before = resources_now();
        copy.start(forgetful(hub)).destroy();
    }
    const size_t heap = resources_now().heap_bytes;
    if (const std::string left = left_behind(before); !left.empty())
        throw Failed{"twenty instances left " + left};
    const size_t grown = heap > before.heap_bytes ? heap - before.heap_bytes : 0;
    if (grown > rounds * most_heap_per_life)
        throw Failed{"each instance leaves " + std::to_string(grown / rounds) +
                     " bytes of memory behind"};
    copy.end();
    return {};
}

Verdict check_pool_thread(const Subject& subject) {
    PlayedHub hub;
    Copy copy(subject);
    Instance& instance = copy.start(hub.host());
    std::promise<void> used, unloaded;
    std::thread pool_thread([&] {
        try {
            exercise(subject, instance, hub);
            used.set_value();
        } catch (...) {
            used.set_exception(std::current_exception());
        }
        unloaded.get_future().wait();  // What it keeps for this thread ends after the library.
    });
    std::exception_ptr error;
    try {
        used.get_future().get();
        copy.end();
    } catch (...) {
        error = std::current_exception();
    }
    unloaded.set_value();
    pool_thread.join();
    if (error) std::rethrow_exception(error);
    return {};
}

Verdict check_handover(const Subject& subject) {
    const bool is_exclusive = subject.file.stamp.flags & PB_FLAG_EXCLUSIVE;
    const bool hands_over = subject.provides(StateHandover::interface_id);
    PlayedHub hub;
    Copy old(subject);
    Instance& first = old.start(hub.host());
    exercise(subject, first, hub);
    const std::string state = hands_over ? exported_state(first) : "";
    if (is_exclusive) drain_and_end(old);

    Copy fresh(subject);
    Instance& second = fresh.start(hub.host());
    if (hands_over) hand_over(subject, state, second);
    if (!is_exclusive) drain_and_end(old);
    require_health(subject, second, " after the first copy has ended");
    exercise(subject, second, hub);
    fresh.end();
    return {};
}

}  // namespace patchbay::checker
