// W3C Trace Context (https://www.w3.org/TR/trace-context/, version 00): one id that goes with a
// message from the webhook to the provider's call and into the log lines between.
#pragma once
#include <string>
#include <string_view>

namespace patchbay {

/// The value of a traceparent header that is to be taken over, empty for one that is not: not
/// exactly the form of version 00, or a later version that does not begin so, upper case, or an id
/// of zeros. It is answered in the form of version 00.
std::string accepted_traceparent(std::string_view header);

/// With a new trace id. "00-<32 hex>-<16 hex>-01". [any thread]
std::string new_traceparent();

/// For a call onwards: the same trace id and flags, a span id of its own. Of a text that is none: a
/// new one.
std::string child_traceparent(std::string_view traceparent);

/// The 32 hex digits; empty for a text that is no traceparent.
std::string_view trace_id(std::string_view traceparent);

}  // namespace patchbay
