#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>
#include <patchbay/services.hpp>

#include "base/log.hpp"
#include "base/time_text.hpp"
#include "base/trace.hpp"
#include "http/message.hpp"
#include "plugins/services/basic_services.hpp"
#include "plugins/services/byte_budget.hpp"

namespace patchbay {
namespace {

constexpr size_t bytes_of_an_instance = 64u << 20;

void note_time(const Response& response, const Clock& clock, ClockCheck& check) {
    const auto date = response.headers.find("date");
    if (date == response.headers.end()) return;
    const auto theirs = parse_http_date(date->second);
    if (!theirs || !check.heard(*theirs, clock.now_ms())) return;
    if (const auto off = check.off_by()) {
        log_warn("plugins",
                 "the clock of this server is not what providers say, webhooks with a "
                 "time in their signature are refused",
                 {{"off_by_s", std::to_string(off->count())}});
    } else {
        log_info("plugins", "the clock of this server is what providers say", {});
    }
}

// A plugin that has a trace of its own keeps it.
void send_trace_on(Request& request, const std::string& trace) {
    const auto& headers = request.headers;
    const bool has_own = std::any_of(headers.begin(), headers.end(), [](const auto& header) {
        return equal_ignoring_case(header.first, "traceparent");
    });
    if (!has_own) request.headers["traceparent"] = child_traceparent(trace);
}

}  // namespace

void register_http_service(HostServices& services, HttpClient& client, const Clock& clock,
                           ClockCheck& check) {
    const auto budget = std::make_shared<ByteBudget>(bytes_of_an_instance);
    services.register_method(
        "http-client/1", method::http,
        [&client, &clock, &check, budget](const ServiceCaller& caller, std::string_view in) {
            Call call;
            Request request;
            HttpOptions options;
            wire::unpack(in, wire::Text::checked, call, request, options);
            options.timeout = std::min(options.timeout, call.left);
            const auto began = clock.steady();
            const auto share = budget->take(
                caller.instance, request.body.size() + options.max_body_bytes, options.timeout);
            if (!share) {
                throw ConnectionFailed(false, "too much of this instance is under way");
            }
            options.timeout -=
                std::chrono::duration_cast<std::chrono::milliseconds>(clock.steady() - began);
            send_trace_on(request, call.trace);
            const Response response = client.call(request, options);
            note_time(response, clock, check);
            return wire::pack(response);
        });
}

}  // namespace patchbay
