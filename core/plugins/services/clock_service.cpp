#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>

#include "plugins/services/basic_services.hpp"

namespace patchbay {

void register_clock_service(HostServices& services, const Clock& clock, Ids& ids) {
    services.register_method(
        "clock/1", method::now,
        [&clock](const ServiceCaller&, std::string_view) { return wire::pack(clock.now_ms()); });
    services.register_method(
        "clock/1", method::new_id,
        [&ids](const ServiceCaller&, std::string_view) { return wire::pack(ids.uuid()); });
}

}  // namespace patchbay
