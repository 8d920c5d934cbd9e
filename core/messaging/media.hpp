// Files that the hub keeps: uploads, and what became of them in messages.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "messaging/blob_store.hpp"
#include "messaging/mint.hpp"

namespace patchbay {

inline constexpr size_t max_upload_bytes = 16 << 20;
inline constexpr std::chrono::hours unused_upload_life{24};

struct StoredMedia {
    std::string id, type, name, sha256, blob_key;
    int64_t bytes = 0;
    std::optional<std::string> message_id;
};

/// An upload that no message has yet; its id.
std::string add_upload(Transaction& tx, Ids& ids, const StoredMedia& media, TimeMs now);
/// nullopt: unknown, or its bytes are not here.
std::optional<StoredMedia> find_stored_media(Session& session, const std::string& id);

/// Uploads that nobody used for a day go, some at a time. The keys of blobs that nothing refers to
/// any more: to be removed after the commit.
std::vector<std::string> sweep_uploads(Transaction& tx, TimeMs now);

/// A file name fit to be shown: without folders and control bytes, 120 characters at most.
std::string shown_file_name(std::string_view name);

}  // namespace patchbay
