#include "delivery/media_service.hpp"

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "messaging/media_type.hpp"

namespace patchbay {
namespace {

// An answer to a plugin has 4 MiB at most, its frame included.
constexpr size_t max_read_bytes = 3 << 20;

const BlobStore& require_blobs(const MediaService& service) {
    if (!service.blobs) throw Error(ErrorKind::unavailable, "this hub has no folder for files");
    return *service.blobs;
}

// What it is, its first bytes say; what was declared counts only where it agrees (S55).
Media keep(const MediaService& service, const std::string& content, const std::string& declared,
           const std::string& name) {
    const BlobStore& blobs = require_blobs(service);
    if (content.empty()) throw Error(ErrorKind::request, "the file is empty");
    if (content.size() > max_upload_bytes)
        throw Error(ErrorKind::request, "a file has 16 MiB at most");
    StoredMedia media{.id = {},
                      .type = media_type_of(content, declared, name),
                      .name = shown_file_name(name),
                      .sha256 = to_hex(sha256(content)),
                      .blob_key = blobs.put(content),
                      .bytes = static_cast<int64_t>(content.size()),
                      .message_id = {}};
    std::vector<std::string> unused;
    try {
        unused = service.store.write([&](Transaction& tx) {
            const TimeMs now = service.store.clock().now_ms();
            media.id = add_upload(tx, service.ids, media, now);
            return sweep_uploads(tx, now);
        });
    } catch (...) {
        blobs.remove(media.blob_key);
        throw;
    }
    for (const std::string& key : unused) blobs.remove(key);
    return {.id = media.id,
            .type = media.type,
            .name = media.name,
            .bytes = content.size(),
            .sha256 = media.sha256};
}

std::string last_segment(const std::string& url) {
    const std::string path = url.substr(0, url.find_first_of("?#"));
    return path.substr(path.rfind('/') + 1);
}

std::string fetch(const MediaService& service, std::string_view in) {
    Call call;
    Request request;
    wire::unpack(in, wire::Text::checked, call, request);
    require_blobs(service);
    const Response answer = service.client.call(
        request, {.timeout = call.left, .max_body_bytes = static_cast<uint32_t>(max_upload_bytes)});
    if (!answer.ok()) {
        Error error(answer.status == 404 ? ErrorKind::not_found : ErrorKind::unavailable,
                    "the file could not be fetched, the provider answered " +
                        std::to_string(answer.status));
        error.code = std::to_string(answer.status);
        throw error;
    }
    return wire::pack(
        keep(service, answer.body, answer.header("content-type"), last_segment(request.url)));
}

StoredMedia require_media(const MediaService& service, const std::string& id) {
    const auto media =
        service.store.read([&](Session& session) { return find_stored_media(session, id); });
    if (!media) throw Error(ErrorKind::not_found, "the file is kept no more");
    return *media;
}

std::string read(const MediaService& service, std::string_view in) {
    std::string id;
    wire::unpack(in, wire::Text::checked, id);
    const StoredMedia media = require_media(service, id);
    if (media.bytes > static_cast<int64_t>(max_read_bytes))
        throw Error(ErrorKind::request, "the file has more than 3 MiB: use a link");
    const auto content = require_blobs(service).get(media.blob_key);
    if (!content) throw Error(ErrorKind::not_found, "the file is kept no more");
    return wire::pack(wire::Bytes{*content});
}

}  // namespace

void register_media_service(HostServices& services, MediaService service) {
    const auto shared = std::make_shared<const MediaService>(service);
    const auto add = [&](uint32_t number, auto function) {
        services.register_method(
            "blobs/1", number,
            [shared, function](const ServiceCaller& caller, std::string_view in) {
                return function(*shared, caller, in);
            });
    };
    using Own = const MediaService&;
    using By = const ServiceCaller&;
    add(method::fetch_media, [](Own own, By, std::string_view in) { return fetch(own, in); });
    add(method::read_media, [](Own own, By, std::string_view in) { return read(own, in); });
    add(method::store_media, [](Own own, By, std::string_view in) {
        std::string type;
        wire::Bytes content;
        wire::unpack(in, wire::Text::checked, type, content);
        return wire::pack(keep(own, content.data, type, ""));
    });
    add(method::media_link, [](Own own, By caller, std::string_view in) {
        std::string id;
        std::chrono::milliseconds valid_for{0};
        wire::unpack(in, wire::Text::checked, id, valid_for);
        require_media(own, id);
        return wire::pack(own.links.make(id, "instance:" + caller.instance, valid_for));
    });
}

}  // namespace patchbay
