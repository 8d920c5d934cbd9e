#include "inbound/understand.hpp"

#include "base/log.hpp"

namespace patchbay {

Understood understand(PluginLease& plugin, IngressRow row) {
    Understood result{.row = std::move(row)};
    const LogScope scope({}, result.row.trace);
    try {
        result.events = plugin.receive(Call{.trace = result.row.trace, .left = receive_deadline},
                                       result.row.request);
    } catch (const Error& error) {
        (error.kind == ErrorKind::request ? result.refusal : result.failure) = error.what();
        result.has_killed = error.code == process_died;
        result.is_untried =
            error.kind == ErrorKind::unavailable && !error.request_left && !plugin.is_running();
    } catch (const std::exception& error) {
        result.failure = error.what();
    }
    return result;
}

}  // namespace patchbay
