// blobs/1 for plugins: links under which a provider can fetch a file that the hub keeps.
#pragma once
#include "messaging/media_links.hpp"
#include "plugins/host_services.hpp"
#include "store/store.hpp"

namespace patchbay {

void register_media_service(HostServices& services, Store& store, const MediaLinks& links);

}  // namespace patchbay
