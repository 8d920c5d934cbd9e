#include "inbound/understand.hpp"

namespace patchbay {

Understood understand(PluginLease& plugin, IngressRow row) {
    Understood result{std::move(row), {}, {}, {}};
    try {
        result.events = plugin.receive(Call{.left = receive_deadline}, result.row.request);
    } catch (const Error& error) {
        (error.kind == ErrorKind::request ? result.refusal : result.failure) = error.what();
    } catch (const std::exception& error) {
        result.failure = error.what();
    }
    return result;
}

}  // namespace patchbay
