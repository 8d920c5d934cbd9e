// What is seen of requests from outside: counters, the time they took, and the access log.
#pragma once
#include "http/exchange.hpp"

namespace patchbay {

/// Counts the exchange when it is answered, and how long that took, and writes its line of the
/// access log as LogConfig::access says. Before all others.
Stage observe_requests(const std::string& access);

/// An address for the access log: of one on the internet its network (IPv4 /24, IPv6 /48), enough
/// to see who floods, too little to follow a person.
std::string logged_peer(const std::string& peer);

/// A target for the access log: what redact() leaves of the path, without segments that could be a
/// phone number or a secret (long, no UUID, and not in the route's own `pattern`); of the query the
/// names, since values may be anything.
std::string logged_target(const HttpRequest& request, std::string_view pattern);

/// For patchbay_http_rejected_total: a fixed word, never input.
void count_rejected(std::string_view reason);

}  // namespace patchbay
