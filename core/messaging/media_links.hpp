// Links to files that the hub keeps: signed, short-lived, made for one user or instance (S57).
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "identity/sealer.hpp"

namespace patchbay {

inline constexpr std::chrono::minutes longest_media_link{10};

/// [any thread]
class MediaLinks {
public:
    MediaLinks(const Sealer& sealer, const Clock& clock, std::string public_url)
        : sealer_(sealer), clock_(clock), public_url_(std::move(public_url)) {}

    /// `holder`: "user:<id>" or "instance:<name>". Valid for longest_media_link at most.
    std::string make(const std::string& media_id, const std::string& holder,
                     std::chrono::milliseconds valid_for = longest_media_link) const;

    /// The holder of a link that was made here and has not ended; `query` as it came.
    std::optional<std::string> holder_of(const std::string& media_id, std::string_view query) const;

private:
    const Sealer& sealer_;
    const Clock& clock_;
    const std::string public_url_;
};

}  // namespace patchbay
