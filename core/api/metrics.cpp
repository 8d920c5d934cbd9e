// GET /metrics, in Prometheus' text format
#include "base/metrics.hpp"

#include "api/resources.hpp"
#include "api/roles.hpp"
#include "http/peer.hpp"
#include "identity/access.hpp"

namespace patchbay {
namespace {

// Who asks from this machine or from the network of the proxies needs no key. What a proxy handed
// on comes from somewhere else, whether it is one we trust to say from where or not.
bool is_near(const HttpRequest& request, const AddressList& proxies) {
    if (request.control) return true;
    const auto address = PeerAddress::parse(request.peer);
    if (!address) return false;
    if (proxies.contains(*address)) return true;
    return address->is_loopback() && request.count("X-Forwarded-For") == 0 &&
           request.count("Forwarded") == 0;
}

}  // namespace

void add_metrics_routes(Router& router, ApiContext& context) {
    router.add({.name = "metrics",
                .method = "GET",
                .path = "/metrics",
                .runs_on = RunsOn::control,
                .roles = roles::everyone,
                .about = "Counters for Prometheus; from another machine only when signed in."},
               [&context, proxies = AddressList(context.config()->server.trusted_proxies)](
                   const ExchangePtr& exchange) {
                   const HttpRequest& request = exchange->request();
                   if (!is_near(request, proxies)) {
                       exchange->caller = context.identity.caller_of(request);
                       require_role(exchange->caller, roles::metrics_readers);
                   }
                   exchange->answer({.status = 200,
                                     .body = metrics_text(context.collect_metrics),
                                     .headers = {{"content-type", metrics_content_type},
                                                 {"cache-control", "no-store"}}});
               });
}

}  // namespace patchbay
