#include "app/list_options.hpp"

#include "app/verbs.hpp"
#include "base/clock.hpp"
#include "base/time_text.hpp"

namespace patchbay {

void ListOptions::add_to(CLI::App& verb, const std::string& states) {
    verb.add_option("--since", since, "Not older than this: 1h, 30m, 7d or a time");
    verb.add_option("--state", state, states);
    verb.add_option("--channel", channel, "Only of this instance");
    verb.add_option("--limit", limit, "How many, 200 at most")->capture_default_str();
}

std::string ListOptions::since_time() const {
    if (since.empty()) return {};
    if (const auto age = parse_duration(since)) {
        return rfc3339_ms(SystemClock{}.now_ms() - age->count());
    }
    if (parse_rfc3339(since)) return since;
    throw VerbFailure(exit_code::usage,
                      "--since takes a duration such as 1h or a time such as 2026-11-20T10:15:30Z");
}

}  // namespace patchbay
