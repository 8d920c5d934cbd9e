// The texts of the configurations that ran, numbered, so that an earlier one can run again.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace patchbay {

/// A file for each, `12.yaml`, for its owner's eyes only: it may hold secrets, as the configuration
/// itself. Not thread-safe.
class ConfigRevisions {
public:
    static constexpr size_t kept = 20;

    /// What earlier processes left in `folder` counts on.
    explicit ConfigRevisions(std::filesystem::path folder);

    /// Of the text that was noted last; 0: none was.
    int64_t latest() const { return numbers_.empty() ? 0 : numbers_.back(); }
    /// The number of a text that begins to run: the latest one's when that has the same text, else
    /// a new one. Only the newest `kept` stay. What cannot be written is only logged: the number
    /// counts, and the text cannot run again.
    int64_t note(const std::string& text);
    /// The same, but always a new number: values from outside of the text may have changed.
    int64_t note_new(const std::string& text);

    /// nullopt: not kept (any more).
    std::optional<std::string> text(int64_t revision) const;
    const std::vector<int64_t>& numbers() const { return numbers_; }  ///< Ascending.

private:
    std::filesystem::path file_of(int64_t revision) const;
    void write(int64_t revision, const std::string& text) const;

    const std::filesystem::path folder_;
    std::vector<int64_t> numbers_;
};

}  // namespace patchbay
