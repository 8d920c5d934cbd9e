#include "messaging/media.hpp"

#include <patchbay/text.hpp>

#include "messaging/messages.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

constexpr size_t name_characters = 120;
constexpr int64_t sweep_rows = 50;

}  // namespace

std::string add_upload(Transaction& tx, Ids& ids, const StoredMedia& media, TimeMs now) {
    const std::string id = ids.uuid();
    tx.run(sql::media_keep, {id, Value{}, int64_t{0}, media.type, media.name, media.bytes,
                             media.sha256, media.blob_key, now});
    return id;
}

std::optional<StoredMedia> find_stored_media(Session& session, const std::string& id) {
    const auto row = session.first(sql::media_stored, {id});
    if (!row) return std::nullopt;
    return StoredMedia{.id = id,
                       .type = row->text(0),
                       .name = row->text(1),
                       .sha256 = row->text_or(3, ""),
                       .blob_key = row->text(4),
                       .bytes = row->number(2),
                       .message_id = row->maybe_text(5)};
}

std::vector<std::string> sweep_uploads(Transaction& tx, TimeMs now) {
    std::vector<std::string> unused;
    const TimeMs before = now - std::chrono::milliseconds{unused_upload_life}.count();
    // The ids rise with time, so the oldest come first.
    for (const Row& row : tx.run(sql::media_orphans, {sweep_rows})) {
        if (row.number(2) >= before) break;
        tx.change(sql::media_drop, {row.text(0)});
        const std::string key = row.text_or(1, "");
        if (!key.empty() && !tx.first(sql::media_blob_used, {key})) unused.push_back(key);
    }
    return unused;
}

std::string shown_file_name(std::string_view name) {
    const size_t folder = name.find_last_of("/\\");
    if (folder != std::string_view::npos) name.remove_prefix(folder + 1);
    std::string shown;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7F) shown += c;
    }
    return first_characters(shown, name_characters);
}

}  // namespace patchbay
