// D17: the same library with `isolation: process`.
#include <thread>

#include "checker/exercise.hpp"
#include "checker/mutation.hpp"
#include "checker/trial.hpp"

namespace patchbay::checker {
namespace {

constexpr milliseconds longest_call{10'000};
constexpr int garbage_per_call = 10;

// Where load_plugin() looks for it.
bool has_plugin_host() {
    const auto self = std::filesystem::read_symlink("/proc/self/exe");
    return std::filesystem::exists(self.parent_path() / "patchbay-plugin-host");
}

/// What each call answers, in this process.
struct Known {
    Piece piece;
    ErrorKind kind;
};

std::vector<Known> answers_here(const Subject& subject) {
    PlayedHub hub;
    Copy copy(subject);
    Instance& instance = copy.start(hub.host());
    std::vector<Known> known;
    for (Piece& piece : ordinary_calls(subject, instance)) {
        const ErrorKind kind = instance.call_bytes(piece.method, piece.in).kind;
        known.push_back({std::move(piece), kind});
    }
    copy.end();
    return known;
}

ErrorKind answer_there(LoadedPlugin& plugin, uint32_t method, std::string_view in) {
    try {
        plugin.call(method, in, longest_call);
        return ErrorKind::none;
    } catch (const Error& error) {
        return error.kind;
    }
}

void require_alive(const LoadedPlugin& plugin, const std::string& after) {
    const LoadedPlugin::State state = plugin.state();
    const bool is_whole =
        state.condition == LoadedPlugin::Condition::running && state.reason.empty();
    if (!is_whole) throw Failed{"its process died of " + after + ": " + state.reason};
}

// A call knows of a death before the state does.
void wait_for_death(const LoadedPlugin& plugin) {
    for (int i = 0; i < 200 && plugin.state().reason.empty(); ++i)
        std::this_thread::sleep_for(milliseconds{5});
}

void compare(LoadedPlugin& plugin, const Known& known) {
    const ErrorKind kind = answer_there(plugin, known.piece.method, known.piece.in);
    if (kind != known.kind) wait_for_death(plugin);
    require_alive(plugin, known.piece.name);
    if (kind != known.kind)
        throw Failed{known.piece.name + " answers " + patchbay::word(kind) +
                     " in a process of its own, " + patchbay::word(known.kind) + " without"};
}

}  // namespace

Verdict check_process_mode(const Subject& subject) {
    const std::string config = wire::pack(subject.require_config());
    if (!has_plugin_host()) throw Skipped{"patchbay-plugin-host is not beside this program"};
    const std::vector<Known> known = answers_here(subject);

    PlayedHub hub;
    InstanceConfig instance;
    instance.name = "under_test";
    instance.plugin = subject.file.stamp.name;
    const auto plugin = load_plugin(
        "process", {subject.file, instance, subject.staging, hub.services.clock, hub.host()});
    plugin->describe();
    plugin->check_config(config);
    plugin->create(config);
    for (const Known& one : known) compare(*plugin, one);
    Mutator mutator(subject.seed);
    for (const Known& one : known) {
        ErrorKind last = ErrorKind::none;
        for (int i = 0; i < garbage_per_call; ++i)
            last = answer_there(*plugin, one.piece.method, mutator.changed(one.piece.in));
        if (last == ErrorKind::unavailable) wait_for_death(*plugin);
        require_alive(*plugin, "garbage for " + one.piece.name);
    }
    if (!plugin->end()) throw Failed{"its process did not end"};
    return {};
}

}  // namespace patchbay::checker
