#include "checker/check_table.hpp"

#include <algorithm>

namespace patchbay::checker {
namespace {

constexpr CheckInfo table[] = {
    {"K01", "stamp", "the stamp can be read and this hub serves its interface",
     "build with PATCHBAY_PLUGIN and patchbay_add_plugin of this hub's SDK"},
    {"K02", "name", "the name is one word and the file's name",
     "give PATCHBAY_PLUGIN the name of the CMake target: a-z, 0-9 and _"},
    {"K03", "version", "the version is a semantic version",
     "write it as \"1.2.0\" or \"1.2.0-beta.1\""},
    {"K04", "exports", "only patchbay_plugin_v1 is exported",
     "link with --version-script=plugin.map and --exclude-libs ALL: patchbay_add_plugin does"},
    {"K05", "unique_symbols", "no symbol is UNIQUE, which would pin the library",
     "compile with -fno-gnu-unique and link with the version script"},
    {"K06", "nodelete", "the library may be unloaded", "link without -z nodelete"},
    {"K07", "text_relocations", "no code is rewritten at load time",
     "compile everything with -fPIC, assembler too"},
    {"K08", "bind_now", "all symbols are bound when it is loaded", "link with -z now"},
    {"K09", "runpath", "libraries are looked for beside it, not in a folder of one machine",
     "set RUNPATH to $ORIGIN or to nothing"},
    {"K10", "thread_local", "no thread-local variable has a destructor",
     "keep the state in the plugin's object: a thread that used it would pin the library"},
    {"K11", "process_calls", "nothing changes or leaves the process that it shares",
     "leave processes, signals, environment, folder and locale to the hub"},
    {"K12", "threads", "threads of its own are declared",
     "use timers/1 and tasks/1, or set `flags = owns_threads` and join in the destructor"},
    {"K13", "libraries", "no library that the hub has as well is brought along",
     "use the hub's services, or link a static copy behind the version script"},
    {"K14", "plugin_yaml", "plugin.yaml agrees with the library",
     "change plugin.yaml, or the source, until both say the same"},

    {"D01", "load", "loading and unloading is quick and complete, twenty times",
     "do nothing in static constructors; leave nothing behind in the process"},
    {"D02", "describe", "the configuration's schema is complete and closed",
     "give each key a sentence, and a default that its own rule accepts"},
    {"D03", "check_config", "checking a configuration leaves nothing behind, twenty times",
     "let read_config() read and nothing else: no files, no threads, no exceptions"},
    {"D04", "create", "an instance starts with the sample, ends, and is silent afterwards",
     "start in the constructor, stop and join in the destructor"},
    {"D05", "empty_config", "an empty configuration is refused by the name of what is missing",
     "read what must be there with required_text() or required_secret()"},
    {"D06", "lives", "twenty instances one after another leave nothing behind",
     "own threads, descriptors and memory in members whose destructors give them back"},
    {"D07", "garbage", "no call breaks on garbage, and unknown ones say so",
     "let the SDK's thunks decode; check what is inside before using it"},
    {"D08", "webhook_fuzz", "receive() takes any body, quickly, and says the same twice",
     "throw RequestError for what cannot be read; make events from the request alone"},
    {"D09", "many_threads", "eight threads may call at once",
     "guard what calls share with a mutex, or share nothing"},
    {"D10", "host_refuses", "a host that refuses everything breaks nothing",
     "let Error pass through, or catch it; never assume that a host call answers"},
    {"D11", "provider", "each answer of a provider has its outcome",
     "200 accepted, 429 retry_later with its wait, 5xx unknown, 401 Error(unauthorized), 400 "
     "refused"},
    {"D12", "canary", "no secret gets into a log line, a label, a URL or an error",
     "keep it a Secret, and send it in a header or a body only"},
    {"D13", "pool_thread", "it unloads while the threads that called it live on",
     "leave nothing with a thread: no pthread keys, no thread-local objects"},
    {"D14", "output", "nothing is written to stdout or stderr", "log through host.log()"},
    {"D15", "deadline", "a call ends in its time when the provider does not answer",
     "pass the Call that came on to host.http()"},
    {"D16", "handover", "a second copy takes over while the first one ends",
     "let import_state() take what export_state() gave, and refuse anything else with an Error"},
    {"D17", "process_mode", "it does the same with isolation: process",
     "assume nothing of the process: no shared descriptors, no memory without end"},
    {"D18", "same_id", "a second attempt is recognised by the provider",
     "send OutboundMessage::id along, the same on every attempt, or do not say honours_id"},
    {"D19", "timers", "timers run when their time comes",
     "let on_timer() end quickly and throw nothing, also for a name it does not know"},
};

}  // namespace

std::string_view word(Result result) {
    constexpr std::string_view words[] = {"passed", "warning", "failed", "skipped"};
    return words[static_cast<size_t>(result)];
}

std::span<const CheckInfo> all_checks() { return table; }

const CheckInfo* find_check(std::string_view id_or_name) {
    const auto found = std::find_if(std::begin(table), std::end(table), [&](const auto& one) {
        return one.id == id_or_name || one.name == id_or_name;
    });
    return found == std::end(table) ? nullptr : found;
}

}  // namespace patchbay::checker
