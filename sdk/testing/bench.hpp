// What crosses between a test program and the library of the test bench, which holds the hub's own
// loader. Bytes only, as between hub and plugin: the two may be built by different compilers, with
// different standard libraries.
#pragma once
#include <patchbay/abi.h>

#include <patchbay/testing.hpp>

#define PATCHBAY_TEST_BENCH_SYMBOL "patchbay_test_bench_v1"

namespace patchbay::bench {

/// The only symbol of the library. An instance of it is a bench without a plugin; `player` is
/// asked for the services that the test plays itself. Numbers below 1000 go to the plugin
/// (patchbay/detail/methods.hpp).
using Open = int32_t (*)(const pb_host* player, pb_instance* out, pb_sink err);

enum : uint32_t {
    start = 10'001,     // (plugin, folder of the libraries, configuration)
    samples = 10'002,   // (file) -> Samples of every instance in a configuration file
    manifest = 10'003,  // (plugin.yaml) -> texts; of a list: "routes[0]", its count "routes[]"
    schema = 10'004,    // () -> Schema of the plugin's configuration

    provider_answers = 10'101,       // (Answer)
    provider_answers_next = 10'102,  // (Answer)
    provider_answers_to = 10'103,    // (part, Answer)
    provider_is_gone = 10'104,       // ()
    provider_requests = 10'105,      // () -> ProviderRequests

    provides = 10'201,  // (interface) -> bool

    now = 10'301,        // () -> ms since 1970
    pass_time = 10'302,  // (ms)
    log = 10'303,        // () -> Lines
    published = 10'304,  // () -> Events
    timers = 10'305,     // () -> texts
    tasks = 10'306,      // () -> texts
    metrics = 10'307,    // () -> numbers by name
    labels = 10'308,     // () -> texts
    stored = 10'309,     // (key) -> bytes
    store = 10'310,      // (key, bytes)
    play = 10'311,       // (number): from now on the player answers it
    pushed = 10'312,     // () -> Pushes
};

struct Answer {
    int32_t status = 200;
    std::string body{};
    Labels headers{};
    bool hangs_up = false;
    PATCHBAY_FIELDS { v(1, status).bytes(2, body)(3, headers)(4, hangs_up); }
};

/// How a LogLine crosses: it has a member that is called as what the codec looks for.
struct Line {
    LogLine line{};
    PATCHBAY_FIELDS { v(1, line.level)(2, line.text)(3, line.fields); }
};

struct Push {
    std::string topic{}, text{};
    PATCHBAY_FIELDS { v(1, topic)(2, text); }
};

struct Sample {
    std::string instance{}, plugin{};
    Labels config{};  ///< Flattened, as ChannelUnderTest takes it.
    PATCHBAY_FIELDS { v(1, instance)(2, plugin)(3, config); }
};

}  // namespace patchbay::bench
