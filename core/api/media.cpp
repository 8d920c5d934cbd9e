// POST /api/v1/media; GET /api/v1/media/{id}; GET /media/{id}, the files themselves
#include "messaging/media.hpp"

#include <charconv>
#include <patchbay/text.hpp>

#include "api/answers.hpp"
#include "api/idempotency.hpp"
#include "api/resources.hpp"
#include "api/roles.hpp"
#include "base/crypto.hpp"
#include "http/multipart.hpp"
#include "identity/users.hpp"
#include "messaging/media_type.hpp"
#include "messaging/sight.hpp"

namespace patchbay {
namespace {

constexpr size_t form_bytes = 64 << 10;  // Of an upload that is not the file.

void require_place(const ApiContext& context) {
    if (!context.blobs || !context.media_links) {
        throw Problem("storage_unavailable", "This hub has no folder for files.");
    }
}

const MultipartPart& require_file(const Multipart& form) {
    const MultipartPart* file = form.find("file");
    if (!file || !file->filename) {
        throw Problem("missing_field", "file is required.",
                      {{"/file", "missing_field", "is required, as a file"}});
    }
    for (const MultipartPart& part : form.all()) {
        if (part.name == "file") continue;
        throw Problem("unknown_field", "Only file is known here.",
                      {{"/" + part.name, "unknown_field", "is unknown here"}});
    }
    if (file->body.empty()) {
        throw Problem("invalid_field", "The file is empty.",
                      {{"/file", "invalid_field", "must not be empty"}});
    }
    if (file->body.size() > max_upload_bytes) {
        throw Problem("body_too_large", "A file has 16 MiB at most.");
    }
    return *file;
}

JsonObject media_json(const ApiContext& context, const StoredMedia& media,
                      const std::string& holder) {
    JsonObject json = make_object();
    json->set("id", media.id);
    json->set("type", media.type);
    json->set("name", media.name);
    json->set("bytes", media.bytes);
    json->set("url", context.media_links->make(media.id, holder));
    return json;
}

std::string holder_of(const Caller& caller) { return caller.kind + ":" + caller.id; }

void upload(const ExchangePtr& exchange, ApiContext& context) {
    require_place(context);
    const Multipart form = Multipart::parse(exchange->request());
    const MultipartPart& file = require_file(form);
    if (!begins_once(exchange, context.store)) return;
    StoredMedia media;
    media.name = shown_file_name(*file.filename);
    media.type = media_type_of(file.body, file.content_type, media.name);
    media.bytes = static_cast<int64_t>(file.body.size());
    media.sha256 = to_hex(sha256(file.body));
    media.blob_key = context.blobs->put(file.body);
    std::vector<std::string> unused;
    try {
        unused = context.store.write([&](Transaction& tx) {
            media.id = add_upload(tx, context.ids(), media, context.now());
            return sweep_uploads(tx, context.now());
        });
    } catch (...) {
        context.blobs->remove(media.blob_key);
        throw;
    }
    for (const std::string& key : unused) context.blobs->remove(key);
    answer_json(exchange, 201, media_json(context, media, holder_of(exchange->caller)));
}

/// An upload that no message has yet is its uploader's, who has its link; else it is seen by those
/// who see its message.
StoredMedia require_media(Session& session, const Caller& caller, const std::string& id) {
    auto media = find_stored_media(session, id);
    if (!media) throw unknown_id("file");
    const Sight sight = sight_of(caller);
    const bool sees = media->message_id
                          ? find_seen_message(session, sight, *media->message_id).has_value()
                          : sight.all;
    if (!sees) throw unknown_id("file");
    return std::move(*media);
}

void get_one(const ExchangePtr& exchange, ApiContext& context) {
    require_place(context);
    answer_json(exchange, 200, context.store.read([&](Session& session) {
        const auto media = require_media(session, exchange->caller, exchange->params.at("id"));
        return media_json(context, media, holder_of(exchange->caller));
    }));
}

struct Range {
    size_t from = 0, to = 0;  ///< `to` is exclusive.
};

std::optional<size_t> number_in(std::string_view text) {
    size_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
    return number;
}

/// One range of RFC 9110 section 14. nullopt: the whole, also for several ranges and for what is
/// none. Throws Problem 416 for one outside of the file.
std::optional<Range> range_of(const HttpRequest& request, size_t size) {
    const auto header = request.header("Range");
    constexpr std::string_view unit = "bytes=";
    if (!header || !header->starts_with(unit)) return std::nullopt;
    const std::string_view range = header->substr(unit.size());
    const size_t dash = range.find('-');
    if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) {
        return std::nullopt;
    }
    const auto first = number_in(range.substr(0, dash)), last = number_in(range.substr(dash + 1));
    const bool is_open = dash + 1 == range.size();
    if ((dash > 0 && !first) || (!is_open && !last) || (dash == 0 && is_open)) return std::nullopt;
    if (dash > 0 && !is_open && *last < *first) return std::nullopt;
    const size_t from = dash > 0 ? *first : size - std::min(*last, size);
    if (from >= size) {
        Problem problem("invalid_header", "The file has " + std::to_string(size) + " bytes.");
        throw problem.status_is(416).header("Content-Range", "bytes */" + std::to_string(size));
    }
    return Range{from, dash > 0 && last ? std::min(*last + 1, size) : size};
}

/// RFC 6266: for old readers in ASCII, for all others as it is.
std::string disposition_of(const StoredMedia& media) {
    std::string plain;
    for (const char c : media.name) {
        const auto byte = static_cast<unsigned char>(c);
        plain += byte < 0x80 && c != '"' && c != '\\' && c != '%' ? c : '_';
    }
    std::string value = may_be_shown(media.type) ? "inline" : "attachment";
    if (media.name.empty()) return value;
    return value + "; filename=\"" + plain + "\"; filename*=UTF-8''" + percent_encode(media.name);
}

/// A wrong link, one that has ended and one to nothing look alike.
Problem no_such_link() {
    return Problem("unknown_id", "The link leads nowhere, or its ten minutes are over.");
}

/// The user may have been disabled since the link was made.
void require_holder(Session& session, const std::string& holder) {
    constexpr std::string_view user = "user:";
    if (!holder.starts_with(user)) return;
    const auto found = find_user(session, holder.substr(user.size()));
    if (!found || !found->active()) throw no_such_link();
}

void serve(const ExchangePtr& exchange, ApiContext& context) {
    require_place(context);
    const std::string& id = exchange->params.at("id");
    const auto holder = context.media_links->holder_of(id, exchange->request().query);
    if (!holder) throw no_such_link();
    const auto media = context.store.read([&](Session& session) {
        require_holder(session, *holder);
        return find_stored_media(session, id);
    });
    const auto bytes = media ? context.blobs->get(media->blob_key) : std::nullopt;
    if (!bytes) throw no_such_link();
    Response response;
    response.headers = {{"content-type", media->type},
                        {"content-disposition", disposition_of(*media)},
                        {"x-content-type-options", "nosniff"},
                        {"content-security-policy", "sandbox; default-src 'none'"},
                        {"cache-control", "private, no-store"},
                        {"accept-ranges", "bytes"}};
    if (const auto range = range_of(exchange->request(), bytes->size())) {
        response.status = 206;
        response.headers["content-range"] = "bytes " + std::to_string(range->from) + "-" +
                                            std::to_string(range->to - 1) + "/" +
                                            std::to_string(bytes->size());
        response.body = bytes->substr(range->from, range->to - range->from);
    } else {
        response.body = *bytes;
    }
    exchange->answer(std::move(response));
}

}  // namespace

void add_media_routes(Router& router, ApiContext& context) {
    router.add({.name = "media.create",
                .method = "POST",
                .path = "/api/v1/media",
                .body = BodyKind::multipart,
                .max_body_bytes = max_upload_bytes + form_bytes,
                .roles = roles::message_writers,
                .about = "Keeps a file for a message; one that no message uses goes after a day.",
                .answers = {{201, "File"}},
                .problems = {"storage_unavailable", "invalid_form"}},
               [&](const ExchangePtr& exchange) { upload(exchange, context); });
    router.add({.name = "media.get",
                .method = "GET",
                .path = "/api/v1/media/{id}",
                .roles = roles::message_readers,
                .about = "A file of a message, with a link that is good for ten minutes.",
                .answers = {{.schema = "File"}},
                .problems = {"storage_unavailable"}},
               [&](const ExchangePtr& exchange) { get_one(exchange, context); });
    router.add({.name = "media.bytes",
                .method = "GET",
                .path = "/media/{id}",
                .roles = roles::everyone,
                .about = "The bytes of a file, under a signed link."},
               [&](const ExchangePtr& exchange) { serve(exchange, context); });
}

}  // namespace patchbay
