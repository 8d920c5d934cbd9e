#include "api/error_pages.hpp"

#include <sstream>

#include "api/embedded_files.hpp"
#include "http/problem.hpp"

namespace patchbay {
namespace {

void append_escaped(std::string& html, std::string_view text) {
    for (const char c : text) {
        switch (c) {
            case '&':
                html += "&amp;";
                break;
            case '<':
                html += "&lt;";
                break;
            case '>':
                html += "&gt;";
                break;
            case '"':
                html += "&quot;";
                break;
            default:
                html += c;
        }
    }
}

/// "[text](target)" at the front of `rest`: takes it off and gives its text.
std::optional<std::string_view> take_link(std::string_view& rest) {
    const size_t middle = rest.find("](");
    const size_t end = rest.find(')', middle);
    if (!rest.starts_with('[') || middle == std::string_view::npos ||
        end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view text = rest.substr(1, middle - 1);
    rest.remove_prefix(end + 1);
    return text;
}

/// A stretch of text with `code` and links.
void append_inline(std::string& html, std::string_view rest) {
    while (!rest.empty()) {
        const size_t close = rest.starts_with('`') ? rest.find('`', 1) : std::string_view::npos;
        if (close != std::string_view::npos) {
            html += "<code>";
            append_escaped(html, rest.substr(1, close - 1));
            html += "</code>";
            rest.remove_prefix(close + 1);
        } else if (const auto text = take_link(rest)) {
            append_escaped(html, *text);
        } else {
            const size_t plain = std::max<size_t>(rest.find_first_of("`[", 1), 1);
            append_escaped(html, rest.substr(0, plain));
            rest.remove_prefix(std::min(plain, rest.size()));
        }
    }
}

std::string html_page(const std::string& title, const std::string& body) {
    return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
           title +
           " - Patchbay</title>\n<link rel=\"stylesheet\" href=\"/docs/docs.css\">\n</head>\n"
           "<body class=\"page\">\n" +
           body +
           "<p><a href=\"/docs/errors\">All error codes</a> - <a href=\"/docs\">API</a></p>\n"
           "</body>\n</html>\n";
}

}  // namespace

std::string html_of_markdown(std::string_view markdown) {
    std::string html;
    std::string paragraph;
    const auto end_paragraph = [&] {
        if (paragraph.empty()) return;
        html += "<p>";
        append_inline(html, paragraph);
        html += "</p>\n";
        paragraph.clear();
    };
    std::istringstream lines{std::string(markdown)};
    for (std::string line; std::getline(lines, line);) {
        const size_t level = line.find_first_not_of('#');
        if (level != std::string::npos && level > 0 && line[level] == ' ') {
            end_paragraph();
            const std::string tag = "h" + std::to_string(level) + ">";
            html += "<" + tag;
            append_inline(html, std::string_view(line).substr(level + 1));
            html += "</" + tag + "\n";
        } else if (line.empty()) {
            end_paragraph();
        } else {
            paragraph += (paragraph.empty() ? "" : " ") + line;
        }
    }
    end_paragraph();
    return html;
}

std::optional<std::string> find_error_page(const std::string& code) {
    if (!find_error_code(code)) return std::nullopt;
    const auto text = find_embedded("errors/" + code + ".md");
    if (!text) return std::nullopt;
    return html_page(code, html_of_markdown(*text));
}

std::string error_index() {
    std::string body =
        "<h1>Error codes</h1>\n<p>A code keeps its meaning for ever. The "
        "<code>type</code> of a problem is its page.</p>\n<ul>\n";
    for (const ErrorCode& entry : error_codes()) {
        const std::string code = entry.code;
        body += "<li><a href=\"/docs/errors/" + code + "\"><code>" + code + "</code></a> " +
                std::to_string(entry.status) + " ";
        append_escaped(body, entry.title);
        body += "</li>\n";
    }
    return html_page("Error codes", body + "</ul>\n");
}

}  // namespace patchbay
