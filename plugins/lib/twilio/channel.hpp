// What every channel over Messages.json is beside its own addresses: SMS and WhatsApp alike.
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <vector>

#include "events.hpp"
#include "messages.hpp"

namespace patchbay::twilio {

/// A signed form, POSTed or (the console lets people choose) with GET; answered with an empty
/// <Response/>. Its secrets are `auth_token` and `auth_token_previous`.
Route webhook_route(const std::string& name);

/// The empty <Response/>: any other body of a 200 would be sent to the customer as a reply.
/// Source: https://www.twilio.com/docs/messaging/twiml
const Response& empty_twiml();

/// Where Twilio fetches the message's files.
std::vector<std::string> media_urls(const Host& host, const OutboundMessage& message);

/// Channel::look_up. Absent is proven when Twilio's list for these two numbers since the day of the
/// first attempt was read to its end and holds no copy, or only copies that belong to other
/// messages of ours. A list that breaks off throws, and Delivery holds the message.
std::optional<SendResult> find_sent(const Host& host, const Call& call, const Account& account,
                                    const Draft& draft, const OutboundMessage& message);

/// Channel::list_since: what customers wrote to these numbers, as Twilio writes them, the oldest
/// first. Without numbers: to all of the account.
std::vector<Event> received_since(const Host& host, const Call& call, const Account& account,
                                  std::vector<std::string> numbers, int64_t since_ms,
                                  AddressReader address);

// ---- Configuration that all of them have ----
/// "AC" and letters or digits: it goes into the path of every call. Servers that speak Twilio's API
/// write it in lower case as well.
bool is_account_sid(const std::string& sid);
std::string without_last_slash(std::string url);
bool is_http_url(const std::string& url);

}  // namespace patchbay::twilio
