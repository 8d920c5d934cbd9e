#include "http/json_body.hpp"

#include "http/problem.hpp"

namespace patchbay {

JsonObject parse_json_object(const HttpRequest& request) {
    if (request.body.empty() &&
        request.count("Content-Length") + request.count("Transfer-Encoding") == 0)
        throw Problem("length_required", "A JSON object is required as the body.");
    try {
        return parse_json_object(std::string_view(request.body));
    } catch (const JsonError& error) {
        const std::string at = std::to_string(error.offset);
        throw Problem("invalid_json", std::string(error.what()) + " (at byte " + at + ").")
            .with("offset", at);
    }
}

}  // namespace patchbay
