#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>
#include <patchbay/services.hpp>

#include "plugins/services/basic_services.hpp"

namespace patchbay {

void register_http_service(HostServices& services, HttpClient& client) {
    services.register_method("http-client/1", method::http,
                             [&client](const ServiceCaller&, std::string_view in) {
                                 Call call;
                                 Request request;
                                 HttpOptions options;
                                 wire::unpack(in, wire::Text::checked, call, request, options);
                                 options.timeout = std::min(options.timeout, call.left);
                                 return wire::pack(client.call(request, options));
                             });
}

}  // namespace patchbay
