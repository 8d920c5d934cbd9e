// What Twilio's messaging webhooks say, as events of ours.
//   a customer's message   one form; has From and Body
//   a status callback      one form; has MessageSid and MessageStatus
// Source: https://www.twilio.com/docs/messaging/guides/webhook-request
#pragma once
#include <patchbay/form.hpp>
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay::twilio {

/// How one product writes addresses: SMS prints numbers, WhatsApp "whatsapp:" and a number or a
/// user id.
using AddressReader = Address (*)(std::string_view text);

/// Phones as they are; a short code or a sender's word is a `user`, since it is no E.164 number.
Address sms_address(std::string_view text);

/// Which kind of message these files make: image, audio, video or document; text without any.
std::string kind_of(const std::vector<Media>& media);

/// Strict form decoding. NUL bytes are left out: a message may hold them, and nothing after us
/// can store them.
Form form_from(std::string_view body);

/// A message, a status change, or both it and a change of consent. Which of the two a form is, its
/// fields tell, so that one URL can take both. Throws RequestError whose text is the reason for
/// keeping the webhook as ignored: `unknown_account` (S49), a status that is not in Twilio's list,
/// a missing field.
std::vector<Event> events_from(const Request& request, const std::string& account_sid,
                               AddressReader address);

/// The callback URL for one message: our id survives a lost answer in its query (guarantees section
/// 5).
std::string status_url(const std::string& status_route_url, const std::string& message_id);

}  // namespace patchbay::twilio
