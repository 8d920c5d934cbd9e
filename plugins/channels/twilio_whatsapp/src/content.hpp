// What a request asks to send: text, a file by its URL, or a template.
#pragma once
#include <Poco/JSON/Object.h>

#include <patchbay/sdk.hpp>
#include <string>
#include <twilio/problem.hpp>
#include <vector>

namespace patchbay::twilio_whatsapp {

struct Content {
    std::string kind = "text";  ///< text, image, video, audio, document, template
    std::string text{};         ///< The caption where there is a file.
    std::vector<Media> media{};
    std::optional<Template> from_template{};
};

/// `message_text`, `message_type`, `media_url`, `content_sid`, `content_variables`. Adds to
/// `errors` what is wrong.
Content read_content(const Poco::JSON::Object& body, std::vector<twilio::FieldError>& errors);

/// A phone in any form, or the business-scoped id of somebody who hides it. An empty address:
/// neither.
Address recipient_in(std::string_view text);

inline constexpr const char* needs_country_code = "needs the country code, as in +27...";

/// These endpoints answer a problem as they answer a success, with `success` and `error` in it.
Response failed_answer(twilio::Problem problem, const Request& request);

}  // namespace patchbay::twilio_whatsapp
