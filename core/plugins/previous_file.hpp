// The file that ran before: what `reload --back` goes back to.
#pragma once
#include <chrono>
#include <filesystem>
#include <string>
#include <utility>

#include "plugins/plugin_file.hpp"

namespace patchbay {

class Generation;

/// How long a new version has to be healthy before the one before it is given up.
inline constexpr std::chrono::minutes previous_kept{10};

/// A copy on the disk, or nothing. Not thread-safe: belongs to the control thread.
class PreviousFile {
public:
    /// What copies are called: the next start removes those that a killed process left.
    static constexpr const char* extension = ".previous";

    PreviousFile() = default;
    /// Keeps what `old` runs, before it ends. What cannot be kept is logged.
    explicit PreviousFile(const Generation& old);
    ~PreviousFile() { forget(); }
    PreviousFile(PreviousFile&& other) noexcept { *this = std::move(other); }
    PreviousFile& operator=(PreviousFile&& other) noexcept;

    void forget();
    bool is_kept() const { return !copy_.empty(); }
    /// Throws Error(refused) when the copy cannot be read.
    PluginFile read() const;

    /// Whether its successor has run for long enough; asked now and then, it counts from the first
    /// time.
    bool is_outlived(std::chrono::steady_clock::time_point now);
    void begin_anew() { since_ = {}; }
    const std::string& digest() const { return digest_; }

private:
    std::filesystem::path copy_, named_;
    std::string digest_;
    std::chrono::steady_clock::time_point since_{};
};

}  // namespace patchbay
