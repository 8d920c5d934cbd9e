// What the server reads from a connection. Outgoing answers and outbound calls use the SDK's
// Request and Response.
#pragma once
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace patchbay {

struct HttpHeader {
    std::string name;   ///< As sent; compare with HttpRequest::header, which ignores case.
    std::string value;  ///< Raw bytes without surrounding blanks; never decoded (S11).
};

struct HttpRequest {
    std::string method;
    std::string target;  ///< Byte for byte from the request line: signatures cover it.
    std::string path;    ///< Decoded once and normalised (S19); routing uses this only.
    std::string query;   ///< Raw, without '?'.
    std::vector<HttpHeader> headers;
    std::string body;
    std::string peer;   ///< Address of the other side, without port. From X-Forwarded-For only when
                        ///< the peer is a trusted proxy. "control" on the control socket.
    std::string trace;  ///< traceparent: the one that came, or a new one. Set by the Exchange.
    bool secure = false;
    bool control = false;  ///< Came over the control socket: the operator's own command line.

    /// The only value of a header; nullopt when absent or repeated.
    std::optional<std::string_view> header(std::string_view name) const;
    size_t count(std::string_view name) const;
    /// Media type of Content-Type in lower case without parameters; empty when absent or repeated.
    std::string content_type() const;
};

/// Header names and tokens: ASCII, without regard to case.
bool equal_ignoring_case(std::string_view a, std::string_view b);

bool is_token(std::string_view text);  ///< RFC 9110: letters, digits and a few signs, not empty.
/// Nothing in it could end the line or hide something: no control byte but TAB.
bool is_field_value(std::string_view text);
/// Without SP and TAB at either end, and nothing else.
std::string_view without_blanks(std::string_view text);

}  // namespace patchbay
