#include "messaging/media_links.hpp"

#include <charconv>
#include <patchbay/text.hpp>

#include "http/query.hpp"

namespace patchbay {
namespace {

std::string signed_text(const std::string& media_id, const std::string& holder,
                        const std::string& until) {
    return "media\n" + media_id + "\n" + holder + "\n" + until;
}

}  // namespace

std::string MediaLinks::make(const std::string& media_id, const std::string& holder,
                             std::chrono::milliseconds valid_for) const {
    const std::chrono::milliseconds life =
        std::min<std::chrono::milliseconds>(valid_for, longest_media_link);
    const std::string until = std::to_string(clock_.now_ms() + life.count());
    return public_url_ + "/media/" + media_id + "?for=" + percent_encode(holder) +
           "&until=" + until +
           "&signature=" + to_hex(sealer_.sign(signed_text(media_id, holder, until)));
}

std::optional<std::string> MediaLinks::holder_of(const std::string& media_id,
                                                 std::string_view query) const {
    const Query given = Query::parse(query);
    const std::string holder = given.find("for").value_or(""),
                      until = given.find("until").value_or("");
    const auto signature = from_hex(given.find("signature").value_or(""));
    if (!signature || !sealer_.is_signed(signed_text(media_id, holder, until), *signature)) {
        return std::nullopt;
    }
    TimeMs end = 0;
    std::from_chars(until.data(), until.data() + until.size(), end);
    if (end <= clock_.now_ms()) return std::nullopt;
    return holder;
}

}  // namespace patchbay
