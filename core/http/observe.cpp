#include "http/observe.hpp"

#include <array>

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "http/peer.hpp"

namespace patchbay {
namespace {

enum class Access { off, requests, all };

const Family<Counter> requests_total{"patchbay_http_requests_total",
                                     "Answered requests; route none: no such path.",
                                     {"route", "method", "status"},
                                     4'000};
const Family<Histogram> request_seconds{"patchbay_http_request_seconds",
                                        "From the last byte of a request until its answer is made.",
                                        {"route"},
                                        1'000};
const Family<Counter> rejected_total{"patchbay_http_rejected_total",
                                     "Requests and connections refused, by a fixed word.",
                                     {"reason"}};

// A client may send any token as method.
std::string_view known_method(std::string_view method) {
    static constexpr std::array known{"GET",    "HEAD",    "POST",  "PUT",    "PATCH",
                                      "DELETE", "OPTIONS", "TRACE", "CONNECT"};
    for (const std::string_view one : known)
        if (one == method) return one;
    return "other";
}

void count(const Exchange& exchange, int status, std::chrono::nanoseconds took) {
    const std::string_view route =
        exchange.route ? std::string_view{exchange.route->spec.name} : std::string_view{"none"};
    const std::array digits{static_cast<char>('0' + status / 100 % 10),
                            static_cast<char>('0' + status / 10 % 10),
                            static_cast<char>('0' + status % 10)};
    requests_total
        .with({route, known_method(exchange.request().method), {digits.data(), digits.size()}})
        .add();
    request_seconds.with({route}).observe(took);
}

// Routes that something asks for every few seconds.
bool is_watching(std::string_view route) {
    return route.starts_with("health.") || route == "metrics";
}

bool wants_line(const Exchange& exchange, Access access) {
    if (access == Access::off || !is_logged(LogLevel::info)) return false;
    if (access == Access::all) return true;
    return !exchange.route || !is_watching(exchange.route->spec.name);
}

std::string milliseconds_text(std::chrono::nanoseconds took) {
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
    const std::string fraction = std::to_string(us % 1000 / 10);
    return std::to_string(us / 1000) + "." + (fraction.size() < 2 ? "0" : "") + fraction;
}

void write_line(const Exchange& exchange, const Response& response, std::chrono::nanoseconds took) {
    const HttpRequest& request = exchange.request();
    const LogScope scope(exchange.id(), request.trace);
    log_info("access", "request",
             {{"method", std::string(known_method(request.method))},
              {"route", exchange.route ? exchange.route->spec.name : "none"},
              {"path", logged_target(request, exchange.route ? exchange.route->spec.path : "")},
              {"status", std::to_string(response.status)},
              {"bytes", std::to_string(response.body.size())},
              {"ms", milliseconds_text(took)},
              {"peer", logged_peer(request.peer)}});
}

bool has_segment(std::string_view pattern, std::string_view segment) {
    const size_t at = pattern.find(segment);
    if (at == std::string_view::npos || at == 0 || pattern[at - 1] != '/') return false;
    const size_t end = at + segment.size();
    return end == pattern.size() || pattern[end] == '/';
}

bool is_uuid(std::string_view text) {
    return text.size() == 36 && std::count(text.begin(), text.end(), '-') == 4 &&
           text.find_first_not_of("0123456789abcdef-") == std::string_view::npos;
}

// WhatsApp's numbers have no plus. An id of ours is a UUID or has at most 19 digits.
std::string shown_segment(std::string_view segment, std::string_view pattern) {
    constexpr size_t longest_id = 19;
    const bool is_number = segment.find_first_not_of("0123456789") == std::string_view::npos;
    if (is_number && segment.size() >= 8 && segment.size() <= 15) return redacted_digits(segment);
    const bool may_be_secret =
        segment.size() > longest_id && !is_uuid(segment) && !has_segment(pattern, segment);
    return may_be_secret ? "***" : std::string(segment);
}

std::string shown_path(std::string_view path, std::string_view pattern) {
    std::string shown;
    while (!path.empty()) {
        path.remove_prefix(path.starts_with('/') ? 1 : 0);
        const std::string_view segment = path.substr(0, path.find('/'));
        path.remove_prefix(segment.size());
        shown.append("/").append(shown_segment(segment, pattern));
    }
    return shown;
}

}  // namespace

std::string logged_peer(const std::string& peer) {
    const auto address = PeerAddress::parse(peer);
    if (!address || address->is_loopback()) return peer;
    PeerAddress network = *address;
    const size_t kept = network.is_mapped() ? 15 : 6;
    std::fill(network.bytes.begin() + static_cast<ptrdiff_t>(kept), network.bytes.end(), 0);
    return network.text() + (network.is_mapped() ? "/24" : "/48");
}

std::string logged_target(const HttpRequest& request, std::string_view pattern) {
    constexpr size_t longest = 200, longest_name = 40;
    std::string shown =
        redact(shown_path(std::string_view(request.path).substr(0, longest), pattern));
    char before = '?';
    for (std::string_view query = request.query; !query.empty() && shown.size() < longest;) {
        const std::string_view pair = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(pair.size() + 1, query.size()));
        const std::string_view name = pair.substr(0, pair.find('='));
        const bool is_word =
            name.size() <= longest_name && name.find_first_not_of(
                                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRST"
                                               "UVWXYZ_.-") == std::string_view::npos;
        (shown += before).append(is_word ? name : "*").append("=***");
        before = '&';
    }
    return shown;
}

Stage observe_requests(const std::string& word) {
    const Access access = word == "off"   ? Access::off
                          : word == "all" ? Access::all
                                          : Access::requests;
    return [access](const ExchangePtr& exchange, const Next& next) {
        const auto began = std::chrono::steady_clock::now();
        // A hook lives no longer than its exchange.
        exchange->before_answer([self = exchange.get(), began, access](Response& response) {
            const auto took = std::chrono::steady_clock::now() - began;
            count(*self, response.status, took);
            if (wants_line(*self, access)) write_line(*self, response, took);
        });
        next(exchange);
    };
}

void count_rejected(std::string_view reason) { rejected_total.with({reason}).add(); }

}  // namespace patchbay
