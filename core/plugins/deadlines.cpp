#include "plugins/deadlines.hpp"

#include <patchbay/detail/methods.hpp>

namespace patchbay {

std::chrono::milliseconds deadline_of(uint32_t method) {
    using std::chrono::seconds;
    switch (method) {
        case method::drain:
        case method::reconfigure:
        case method::export_state:
        case method::import_state:
            return life_deadline;
        // What may ask a provider.
        case method::send:
        case method::look_up:
        case method::mark_read:
        case method::typing:
        case method::perform:
        case method::on_timer:
        case method::on_task:
        case method::answer:  // Its route has a deadline of its own, of at most this.
            return seconds{30};
        case method::list_since:  // Of a long outage, page by page.
            return seconds{60};
        case method::handle:
        case method::run:
            return seconds{2};
        default:
            return seconds{1};
    }
}

}  // namespace patchbay
