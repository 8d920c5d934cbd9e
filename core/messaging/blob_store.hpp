// The bytes of files: a folder of the hub's own, with names that nobody else chose (S56).
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace patchbay {

/// [any thread]
class BlobStore {
public:
    /// Made when the first blob is put. Relative to nothing: absolute.
    explicit BlobStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

    /// Written and flushed under a fresh random key, mode 0640. Throws Error(unavailable).
    std::string put(std::string_view bytes) const;
    /// nullopt: it is not there. Follows no link.
    std::optional<std::string> get(const std::string& key) const;
    void remove(const std::string& key) const;

private:
    std::filesystem::path folder_;
};

}  // namespace patchbay
