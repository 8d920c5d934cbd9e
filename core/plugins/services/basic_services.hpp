// The services that need nothing but the hub's foundations: log/1, clock/1, crypto/1,
// http-client/1, kv/1.
#pragma once
#include "base/ids.hpp"
#include "http/client.hpp"
#include "plugins/host_services.hpp"
#include "store/store.hpp"

namespace patchbay {

void register_log_service(HostServices& services);
void register_clock_service(HostServices& services, const Clock& clock, Ids& ids);
void register_crypto_service(HostServices& services);
void register_http_service(HostServices& services, HttpClient& client);
void register_kv_service(HostServices& services, Store& store);

}  // namespace patchbay
