// The pages of docs/errors/ as HTML.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace patchbay {

/// The page of a code; nullopt when there is none. [any thread]
std::optional<std::string> find_error_page(const std::string& code);

/// All codes with status and title, each linked to its page. [any thread]
std::string error_index();

/// Headings, paragraphs, `code` and links: what those pages are written in. Links between files of
/// docs/ lead nowhere in the binary and become their text.
std::string html_of_markdown(std::string_view markdown);

}  // namespace patchbay
