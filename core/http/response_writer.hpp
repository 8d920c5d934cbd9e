// Turns a Response into the bytes before its body. The one place where header values meet the wire.
#pragma once
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>

namespace patchbay {

struct AnswerHead {
    bool keep_alive = true;
    std::string_view date;  ///< As http_date writes it.
};

/// Appends status line and headers to `out`, names as Title-Case. Content-Length, Connection, Date
/// and Transfer-Encoding are ours: a response's own are left out. False, and `out` unchanged, when
/// the status is none or a header has bytes that would end it (S21).
bool write_answer_head(std::string& out, const Response& response, const AnswerHead& head);

/// Neither part has bytes that could end the line or hide something in it.
bool is_sendable_header(std::string_view name, std::string_view value);

/// A 204 and a 304 have none, whatever the handler put there.
inline bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(int64_t seconds_since_1970);

/// Case is ignored; nullptr when absent.
const std::string* find_header(const Labels& headers, std::string_view name);

}  // namespace patchbay
