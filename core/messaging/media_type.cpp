#include "messaging/media_type.hpp"

#include <patchbay/text.hpp>

#include <array>

namespace patchbay {
namespace {

using std::string_view_literals::operator""sv;

/// A type by what stands at a place of its files, in one or two pieces.
struct Kind {
    std::string_view type, at_start;
    size_t second_place;
    std::string_view second;
    std::array<std::string_view, 4> extensions;
    std::string_view also;  ///< Another name of the type that is declared for such files.
};

constexpr Kind kinds[] = {
    {"image/jpeg", "\xFF\xD8\xFF"sv, 0, "", {"jpg", "jpeg", "jpe"}, "image/jpg"},
    {"image/png", "\x89PNG\r\n\x1A\n"sv, 0, "", {"png"}, ""},
    {"image/gif", "GIF87a"sv, 0, "", {"gif"}, ""},
    {"image/gif", "GIF89a"sv, 0, "", {"gif"}, ""},
    {"image/webp", "RIFF"sv, 8, "WEBP", {"webp"}, ""},
    {"audio/wav", "RIFF"sv, 8, "WAVE", {"wav"}, "audio/x-wav"},
    {"video/3gpp", ""sv, 4, "ftyp3gp", {"3gp", "3gpp"}, "audio/3gpp"},
    {"audio/mp4", ""sv, 4, "ftypM4A", {"m4a", "mp4"}, "audio/x-m4a"},
    {"video/mp4", ""sv, 4, "ftypisom", {"mp4", "m4v"}, "audio/mp4"},
    {"video/mp4", ""sv, 4, "ftypiso2", {"mp4", "m4v"}, "audio/mp4"},
    {"video/mp4", ""sv, 4, "ftypmp4", {"mp4", "m4v"}, "audio/mp4"},
    {"video/mp4", ""sv, 4, "ftypavc1", {"mp4", "m4v"}, ""},
    {"video/webm", "\x1A\x45\xDF\xA3"sv, 0, "", {"webm"}, "audio/webm"},
    {"audio/ogg", "OggS"sv, 0, "", {"ogg", "oga", "opus"}, "application/ogg"},
    {"audio/mpeg", "ID3"sv, 0, "", {"mp3"}, "audio/mp3"},
    {"audio/mpeg", "\xFF\xFB"sv, 0, "", {"mp3"}, "audio/mp3"},
    {"audio/mpeg", "\xFF\xF3"sv, 0, "", {"mp3"}, "audio/mp3"},
    {"audio/aac", "\xFF\xF1"sv, 0, "", {"aac"}, "audio/x-aac"},
    {"audio/aac", "\xFF\xF9"sv, 0, "", {"aac"}, "audio/x-aac"},
    {"audio/amr", "#!AMR"sv, 0, "", {"amr"}, ""},
    {"application/pdf", "%PDF-"sv, 0, "", {"pdf"}, "application/x-pdf"},
};

bool fits(const Kind& kind, std::string_view bytes) {
    return bytes.starts_with(kind.at_start) && bytes.size() >= kind.second_place &&
           bytes.substr(kind.second_place).starts_with(kind.second);
}

bool agrees(const Kind& kind, std::string_view declared, std::string_view name) {
    const bool nothing_said = declared.empty() || declared == unknown_media_type;
    if (!nothing_said && declared != kind.type && declared != kind.also) return false;
    const size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return true;
    const std::string extension = ascii_lower(name.substr(dot + 1));
    return std::any_of(kind.extensions.begin(), kind.extensions.end(), [&](std::string_view known) {
        return !known.empty() && known == extension;
    });
}

}  // namespace

std::string media_type_of(std::string_view bytes, std::string_view declared,
                          std::string_view name) {
    for (const Kind& kind : kinds) {
        if (fits(kind, bytes) && agrees(kind, declared, name)) return std::string{kind.type};
    }
    return unknown_media_type;
}

bool may_be_shown(std::string_view type) {
    return std::any_of(std::begin(kinds), std::end(kinds),
                       [&](const Kind& kind) { return kind.type == type; });
}

}  // namespace patchbay
