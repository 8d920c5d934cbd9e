// The text of an answer: words with places such as {{ name }}.
#pragma once
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::auto_reply {

/// What is wrong with a reply, for the person who wrote it.
struct BadReply : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

/// Parsed once, filled for every message. [any thread]
class Reply {
public:
    Reply() = default;

    /// A place is "{{", a name, "}}", with or without blanks around the name. Single braces are
    /// ordinary text. Throws BadReply for an unknown name and for "{{" that is never closed.
    explicit Reply(std::string_view text);

    /// Each place becomes its word; a name that `words` lacks becomes nothing.
    std::string fill(const std::map<std::string, std::string>& words) const;

    /// text, from, name. A place may also say message.text, message.from, contact.name.
    static const std::vector<std::string>& names();

private:
    struct Piece {
        std::string text;
        bool is_name = false;
    };
    std::vector<Piece> pieces_;
};

}  // namespace patchbay::auto_reply
