// Twilio's Messages resource: sending, what the answers mean, and finding what was sent.
//   POST /2010-04-01/Accounts/{account_sid}/Messages.json
//   GET  /2010-04-01/Accounts/{account_sid}/Messages.json?To=&From=&DateSent>=
// Source: https://www.twilio.com/docs/messaging/api/message-resource
#pragma once
#include <patchbay/form.hpp>
#include <patchbay/sdk.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "events.hpp"

namespace patchbay::twilio {

/// Where calls go and with which credentials: the account's own, or an API key of it.
struct Account {
    std::string api_base{};  ///< Without a slash at the end.
    std::string sid{};
    std::string user{}, password{};

    std::string messages_url() const;
    /// Ready but for its body. `url` may be a path such as Twilio's `next_page_uri`.
    Request request(const std::string& method, const std::string& url) const;
};

/// A message as Twilio is asked to send it.
struct Draft {
    std::string to{}, from{};             ///< As Twilio writes addresses.
    std::string messaging_service_sid{};  ///< Chooses the sender when `from` is empty.
    std::string text{};
    std::vector<std::string> media_urls{};
    std::string status_callback{};
    std::string content_sid{};        ///< A template, in the place of text and media.
    std::string content_variables{};  ///< JSON text: {"1": "Ann"}.
};
/// Names are Twilio's, a list is a repeated name.
Form form_of(const Draft& message);
Request creation_of(const Draft& message, const Account& account);

/// The code and the words of an error answer. Both may be empty: gateways answer with HTML.
struct Refusal {
    std::string code{}, reason{};
};
Refusal refusal_in(std::string_view body);
/// What the answer asks for; 0: nothing.
milliseconds retry_after(const Response& reply);

/// What the answer to a creation means (architecture decision 10). Throws Error(unauthorized) for
/// 401 and 403. `unknown`: the message may have gone out.
SendResult outcome_of(const Response& reply);

/// One entry of a list.
struct Record {
    std::string sid{}, direction{}, from{}, to{}, body{}, status{}, error_code{}, error_message{};
    uint32_t media = 0;
    int64_t created_ms = 0, sent_ms = 0;

    int64_t at_ms() const { return sent_ms ? sent_ms : created_ms; }
};

struct ListFilter {
    std::string to{}, from{};  ///< Empty: any.
    int64_t since_ms = 0;      ///< Twilio compares the UTC day only.
};

/// Reads every page. Throws Error(unavailable) when one is missing or is not a list: a list that
/// was not read to its end proves nothing.
std::vector<Record> list_messages(const Host& host, const Call& call, const Account& account,
                                  const ListFilter& filter);

/// The files of one message: url and type. Throws Error(unavailable) when they cannot be listed.
std::vector<Media> list_media(const Host& host, const Call& call, const Account& account,
                              const std::string& message_sid);

/// The oldest record that can be the message: same addresses, text and number of files, made no
/// earlier than `since_ms` (less a minute, since two clocks are compared), and not in `taken`, the
/// sids that belong to other messages of ours. nullptr: none.
const Record* find_copy(const std::vector<Record>& records, const Draft& message, int64_t since_ms,
                        const std::set<std::string>& taken);

/// A customer's message as list entry: the same event, with the same key, as its webhook gives.
Event message_from(const Record& record, std::vector<Media> media, AddressReader address);

}  // namespace patchbay::twilio
