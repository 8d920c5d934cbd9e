// The services that need nothing but the hub's foundations: log/1, clock/1, crypto/1,
// http-client/1, kv/1.
#pragma once
#include "base/clock_check.hpp"
#include "base/ids.hpp"
#include "http/client.hpp"
#include "plugins/host_services.hpp"
#include "store/store.hpp"

namespace patchbay {

void register_log_service(HostServices& services);
void register_clock_service(HostServices& services, const Clock& clock, Ids& ids);
void register_crypto_service(HostServices& services);
/// What answers say of the time goes to `check`. The bodies of one instance's calls under way,
/// sent and the largest that may come, are at most 64 MiB together: a call that finds no room
/// within its time ends with ConnectionFailed(request_left=false) (guarantees section 8).
void register_http_service(HostServices& services, HttpClient& client, const Clock& clock,
                           ClockCheck& check);
void register_kv_service(HostServices& services, Store& store);

}  // namespace patchbay
