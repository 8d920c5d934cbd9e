// What a file is, by its own first bytes: what a client says of it counts only where it agrees
// (S55).
#pragma once
#include <string>
#include <string_view>

namespace patchbay {

inline constexpr const char* unknown_media_type = "application/octet-stream";

/// One of the types the hub knows, or unknown_media_type. `declared` (empty: nothing was said) and
/// the extension of `name` have to agree with the bytes; SVG and HTML are never anything.
std::string media_type_of(std::string_view bytes, std::string_view declared, std::string_view name);

/// Image, audio, video or PDF of the list: what a browser may show; all else is downloaded (S57).
bool may_be_shown(std::string_view type);

}  // namespace patchbay
