#include "reply.hpp"

#include <algorithm>

namespace patchbay::auto_reply {
namespace {

std::string trimmed(std::string_view text) {
    const size_t first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return std::string{text.substr(first, text.find_last_not_of(" \t") - first + 1)};
}

// Flows write the longer names; one sample must do for both.
std::string short_name(const std::string& name) {
    if (name == "message.text") return "text";
    if (name == "message.from") return "from";
    if (name == "contact.name") return "name";
    return name;
}

std::string require_known(const std::string& name) {
    const auto& known = Reply::names();
    const std::string found = short_name(name);
    if (std::find(known.begin(), known.end(), found) != known.end()) return found;
    throw BadReply("has the unknown name \"" + name + "\" in {{ }}: known are text, from and name");
}

}  // namespace

const std::vector<std::string>& Reply::names() {
    static const std::vector<std::string> known{"text", "from", "name"};
    return known;
}

Reply::Reply(std::string_view text) {
    while (!text.empty()) {
        const size_t open = text.find("{{");
        if (open != 0) pieces_.push_back({std::string{text.substr(0, open)}, false});
        if (open == std::string_view::npos) return;

        const size_t close = text.find("}}", open + 2);
        if (close == std::string_view::npos) throw BadReply("has \"{{\" without \"}}\"");
        const std::string name = trimmed(text.substr(open + 2, close - open - 2));
        pieces_.push_back({require_known(name), true});
        text.remove_prefix(close + 2);
    }
}

std::string Reply::fill(const std::map<std::string, std::string>& words) const {
    std::string filled;
    for (const Piece& piece : pieces_) {
        if (!piece.is_name) {
            filled += piece.text;
        } else if (const auto word = words.find(piece.text); word != words.end()) {
            // Taken as it is: braces that a customer wrote are not places.
            filled += word->second;
        }
    }
    return filled;
}

}  // namespace patchbay::auto_reply
