// multipart/form-data of a whole body, read strictly (S34).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"

namespace patchbay {

/// One field or file. `body` points into the request's body and lives as long as that does.
struct MultipartPart {
    std::string name;  ///< UTF-8 without control bytes.
    /// Present for a file, as the client named it (UTF-8): to be shown, never to be opened (S56).
    std::optional<std::string> filename;
    std::string content_type;  ///< Lower case, without parameters; empty when none was given.
    std::string_view body;
};

/// Parts in the order they came. What RFC 2046 allows and no browser sends is refused: text before
/// the first or behind the last part, blanks behind a boundary, parts inside parts.
class Multipart {
public:
    static constexpr size_t max_parts = 20, max_boundary = 70, max_part_headers = 4096;

    /// `body` has to outlive the result. Throws Problem: invalid_form for everything of S34,
    /// unsupported_media_type when the type is not multipart/form-data.
    static Multipart parse(std::string_view content_type, std::string_view body);
    static Multipart parse(const HttpRequest& request);

    /// nullptr when absent. Throws Problem(duplicate_parameter) when the name repeats (S20).
    const MultipartPart* find(std::string_view name) const;
    const std::vector<MultipartPart>& all() const { return parts_; }

private:
    std::vector<MultipartPart> parts_;
};

}  // namespace patchbay
