#include "inbound/webhook_service.hpp"

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>

namespace patchbay {

void register_webhook_service(HostServices& services, const Hooks& hooks) {
    services.register_method("webhook/1", method::public_url,
                             [&hooks](const ServiceCaller& caller, std::string_view in) {
                                 std::string route;
                                 wire::unpack(in, wire::Text::checked, route);
                                 return wire::pack(hooks.public_url(caller.instance, route));
                             });
}

}  // namespace patchbay
