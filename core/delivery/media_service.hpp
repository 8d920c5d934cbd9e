// blobs/1 for plugins: files that the hub keeps for them, and links that a provider can fetch.
#pragma once
#include "http/client.hpp"
#include "messaging/blob_store.hpp"
#include "messaging/media.hpp"
#include "messaging/media_links.hpp"
#include "plugins/host_services.hpp"
#include "store/store.hpp"

namespace patchbay {

struct MediaService {
    Store& store;
    Ids& ids;
    const BlobStore* blobs;  ///< nullptr: this hub has no folder for files, and keeps none.
    const MediaLinks& links;
    /// For addresses that came with a message: public_only (S50).
    HttpClient& client;
};

/// What is kept is gone after a day unless a message has it by then. What `service` refers to
/// outlives the plugins.
void register_media_service(HostServices& services, MediaService service);

}  // namespace patchbay
