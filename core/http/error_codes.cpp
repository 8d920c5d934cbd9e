// The codes of problem+json answers. A code keeps its meaning for ever; docs/errors/ has a page for
// each.
#include "http/problem.hpp"

namespace patchbay {

const std::vector<ErrorCode>& error_codes() {
    // Where a code has two statuses, the one of /api/v1 stands here.
    static const std::vector<ErrorCode> codes = {
        {"invalid_json", 400, "The body is not the JSON it should be"},
        {"invalid_form", 400, "The body is not a well-formed form"},
        {"duplicate_parameter", 400, "A parameter is given twice"},
        {"unknown_parameter", 400, "A query parameter is unknown here"},
        {"invalid_cursor", 400, "The cursor is not one of ours"},
        {"invalid_header", 400, "A header is not well-formed"},
        {"invalid_path", 400, "The path is not well-formed"},
        {"missing_field", 422, "A required field is missing"},
        {"invalid_field", 422, "A field has a value it cannot have"},
        {"invalid_phone_number", 422, "The phone number is not usable"},
        {"unauthenticated", 401, "Sign in first"},
        {"invalid_credentials", 401, "The credentials are wrong"},
        {"token_expired", 401, "The token has expired"},
        {"invalid_signature", 401, "The signature is wrong or missing"},
        {"forbidden", 403, "This is not allowed for you"},
        {"csrf_refused", 403, "The request came from a foreign page"},
        {"scope_missing", 403, "The API key lacks a scope"},
        {"unknown_path", 404, "There is nothing at this path"},
        {"unknown_id", 404, "There is no such object"},
        {"unknown_guest", 404, "There is no such guest"},
        {"method_not_allowed", 405, "The path does not take this method"},
        {"request_timeout", 408, "The request did not arrive in time"},
        {"length_required", 411, "The body needs a length"},
        {"body_too_large", 413, "The body is too large"},
        {"target_too_long", 414, "The request line is too long"},
        {"unsupported_media_type", 415, "The body has a type this path does not take"},
        {"unknown_host", 421, "This server does not answer for that host"},
        {"upgrade_required", 426, "The path speaks WebSocket"},
        {"headers_too_large", 431, "The headers are too large"},
        {"idempotency_running", 409, "The first request with this key is still running"},
        {"conversation_closed", 409, "The conversation is closed"},
        {"conversation_open", 409, "The conversation is open"},
        {"inquiry_closed", 409, "The inquiry is closed"},
        {"duplicate_inquiry", 409, "The inquiry exists already"},
        {"confirmation_required", 409, "This needs a confirmation"},
        {"delivery_finished", 409, "The delivery has ended"},
        {"delivery_running", 409, "The delivery is under way"},
        {"plugin_failed", 409, "The plugin refused or failed"},
        {"reload_running", 409, "A reload is under way"},
        {"restart_needed", 409, "The change needs a restart"},
        {"referenced", 409, "Something still refers to it"},
        {"last_owner", 409, "This is the last owner"},
        {"email_taken", 409, "The e-mail address is taken"},
        {"stay_open", 409, "The guest has an open stay"},
        {"unknown_field", 422, "A field is unknown here"},
        {"unknown_department", 422, "There is no such department"},
        {"unknown_expert", 422, "There is no such expert"},
        {"unknown_channel", 422, "There is no such channel"},
        {"unknown_from", 422, "The sender is not a number of this channel"},
        {"recipient_opted_out", 422, "The recipient has opted out"},
        {"window_closed", 422, "The 24-hour window is closed"},
        {"text_too_long", 422, "The text is too long for the channel"},
        {"unsupported_media", 422, "The channel cannot carry this media"},
        {"provider_refused", 422, "The provider refused"},
        {"undeliverable", 422, "The number cannot be reached"},
        {"no_active_stay", 422, "The guest has no active stay"},
        {"daily_cap", 422, "The daily cap is reached"},
        {"idempotency_mismatch", 422, "The key was used for another request"},
        {"config_invalid", 422, "The configuration has mistakes"},
        {"rate_limited", 429, "Too many requests"},
        {"throttled", 429, "Try again later"},
        {"too_many_attempts", 429, "Too many attempts"},
        {"internal", 500, "Internal error"},
        {"unsupported_encoding", 501, "The transfer encoding is not supported"},
        {"storage_unavailable", 503, "The database cannot take writes"},
        {"provider_unavailable", 503, "The provider cannot be reached"},
        {"channel_unavailable", 503, "The channel is not available"},
        {"busy", 503, "The server is busy"},
        {"stopping", 503, "The server is stopping"},
        {"plugin_timed_out", 504, "The plugin did not answer in time"},
        {"unsupported_version", 505, "The HTTP version is not supported"},
        // In messages of /ws only.
        {"unknown_command", 400, "There is no such command"},
        {"unknown_topic", 400, "There is no such topic"},
        {"too_many_topics", 400, "The socket has too many topics"},
        {"already_signed_in", 400, "Somebody has signed in already"},
    };
    return codes;
}

const ErrorCode* find_error_code(std::string_view code) {
    for (const ErrorCode& entry : error_codes())
        if (code == entry.code) return &entry;
    return nullptr;
}

}  // namespace patchbay
