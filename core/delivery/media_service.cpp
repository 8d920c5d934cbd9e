#include "delivery/media_service.hpp"

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>

#include "messaging/media.hpp"

namespace patchbay {

void register_media_service(HostServices& services, Store& store, const MediaLinks& links) {
    services.register_method(
        "blobs/1", method::media_link,
        [&store, &links](const ServiceCaller& caller, std::string_view in) {
            std::string id;
            std::chrono::milliseconds valid_for{0};
            wire::unpack(in, wire::Text::checked, id, valid_for);
            const bool is_kept = store.read(
                [&](Session& session) { return find_stored_media(session, id).has_value(); });
            if (!is_kept) throw Error(ErrorKind::not_found, "the file is kept no more");
            return wire::pack(links.make(id, "instance:" + caller.instance, valid_for));
        });
}

}  // namespace patchbay
