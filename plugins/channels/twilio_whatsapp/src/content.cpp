#include "content.hpp"

#include <algorithm>
#include <array>
#include <patchbay/text.hpp>
#include <twilio/phone.hpp>
#include <twilio/requests.hpp>
#include <twilio/whatsapp.hpp>

namespace patchbay::twilio_whatsapp {
namespace {

using Errors = std::vector<twilio::FieldError>;

constexpr std::array kinds{"text", "image", "video", "audio", "document"};
constexpr size_t longest_url = 2048;
constexpr size_t content_sid_chars = 34;

std::string read_kind(const Poco::JSON::Object& body, Errors& errors) {
    std::string kind = twilio::read_text(body, "message_type", false, errors);
    if (kind.empty()) return "text";
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
        errors.push_back(
            {"message_type", "invalid_field", "must be text, image, video, audio or document"});
    }
    return kind;
}

bool is_one_url(std::string_view text, std::initializer_list<std::string_view> schemes) {
    const bool has_scheme =
        std::any_of(schemes.begin(), schemes.end(), [&](std::string_view scheme) {
            return text.starts_with(scheme) && text.size() > scheme.size();
        });
    return has_scheme && text.size() <= longest_url &&
           std::none_of(text.begin(), text.end(),
                        [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 127; });
}

Labels read_variables(const Poco::JSON::Object& body, Errors& errors) {
    Labels variables;
    const auto value = body.get("content_variables");
    if (value.isEmpty()) return variables;
    if (value.type() != typeid(Poco::JSON::Object::Ptr)) {
        errors.push_back({"content_variables", "invalid_field", "must be an object"});
        return variables;
    }
    for (const auto& [name, one] : *value.extract<Poco::JSON::Object::Ptr>()) {
        if (one.isString() || (one.isNumeric() && !one.isBoolean())) {
            variables[name] = one.convert<std::string>();
        } else {
            errors.push_back({"content_variables/" + name, "invalid_field", "must be a text"});
        }
    }
    return variables;
}

bool is_content_sid(std::string_view text) {
    return text.size() == content_sid_chars && text.starts_with("HX") &&
           std::all_of(text.begin(), text.end(), is_alphanumeric);
}

Content template_content(const Poco::JSON::Object& body, std::string sid, Errors& errors) {
    if (!is_content_sid(sid)) {
        errors.push_back({"content_sid", "invalid_field", "must be HX and 32 hex digits"});
    }
    Template from;
    from.name = sid;
    from.provider_id = std::move(sid);
    from.variables = read_variables(body, errors);
    return {.kind = "template", .from_template = std::move(from)};
}

// The seed's own clients put a file's URL into message_text.
Content media_content(std::string kind, std::string text, std::string url, Errors& errors) {
    const std::string alone{trim(text)};
    if (url.empty() && is_one_url(alone, {"https://", "http://"})) {
        url = alone;
        text.clear();
    } else if (url.empty()) {
        errors.push_back({"media_url", "missing_field", "is required for " + kind});
    } else if (!is_one_url(url, {"https://"})) {
        errors.push_back({"media_url", "invalid_field", "must be an https URL"});
    }
    Content content{.kind = std::move(kind), .text = std::move(text)};
    content.media.push_back({.url = std::move(url)});
    return content;
}

}  // namespace

Content read_content(const Poco::JSON::Object& body, Errors& errors) {
    if (std::string sid = twilio::read_text(body, "content_sid", false, errors); !sid.empty()) {
        return template_content(body, std::move(sid), errors);
    }
    const std::string kind = read_kind(body, errors);
    const bool is_text = kind == "text";
    std::string text = twilio::read_text(body, "message_text", is_text, errors);
    std::string url = twilio::read_text(body, "media_url", false, errors);
    if (!is_text) return media_content(kind, std::move(text), std::move(url), errors);
    if (!url.empty()) {
        errors.push_back({"media_url", "invalid_field", "does not go with message_type text"});
    }
    return {.text = std::move(text)};
}

Address recipient_in(std::string_view text) {
    const Address address = twilio::whatsapp_address(text);
    if (twilio::is_user_id(address.value)) return address;
    const std::string phone = twilio::e164(text);
    return phone.empty() ? Address{} : Address::phone(phone);
}

Response failed_answer(twilio::Problem problem, const Request& request) {
    problem.members.emplace_back("success", false);
    problem.members.emplace_back("message_id", Poco::Dynamic::Var{});
    problem.members.emplace_back("error", problem.detail);
    return twilio::problem_answer(problem, request);
}

}  // namespace patchbay::twilio_whatsapp
