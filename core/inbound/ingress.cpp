#include "inbound/ingress.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/JSONException.h>
#include <Poco/JSON/Parser.h>
#include <Poco/JSONString.h>

#include <algorithm>
#include <array>
#include <patchbay/text.hpp>

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "inbound/statements.hpp"

namespace patchbay {
namespace {

const Family<Histogram> commit_seconds{"patchbay_ingress_commit_seconds",
                                       "From a checked webhook until it is committed."};

constexpr const char* died_in_it = "the process died while the plugin read it";

const Failpoint before_store{"ingress.before_store"};
const Failpoint after_commit{"ingress.after_commit"};

// What a plugin may need of the headers. Signatures and credentials are not among them: they were
// checked and are not kept (S82).
constexpr std::array kept_headers{"content-type", "i-twilio-idempotency-token", "webhook-id",
                                  "webhook-timestamp", "idempotency-key"};

// PostgreSQL refuses text that is not UTF-8: such bytes are kept as the Latin-1 characters of the
// same value.
std::string as_utf8(std::string_view bytes) {
    if (is_utf8(bytes)) return std::string{bytes};
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            text += c;
        } else {
            text += static_cast<char>(0xC0 | (byte >> 6));
            text += static_cast<char>(0x80 | (byte & 0x3F));
        }
    }
    return text;
}

// Written by hand: no JSON tree is built before the 2xx.
std::string kept_headers_json(const HttpRequest& request) {
    std::string json = "[";
    for (const char* name : kept_headers) {
        const auto value = request.header(name);
        if (!value) continue;
        if (json.size() > 1) json += ',';
        json.append("[\"").append(name).append("\",");
        json.append(Poco::toJSON(as_utf8(*value))).append("]");
    }
    if (json.size() > 1) json += ',';
    json.append("[\"traceparent\",\"").append(request.trace).append("\"]");
    return json += "]";
}

Labels headers_of(const std::string& json) {
    Labels headers;
    const auto list = Poco::JSON::Parser{}.parse(json).extract<Poco::JSON::Array::Ptr>();
    for (size_t i = 0; i < list->size(); ++i) {
        const auto pair = list->getArray(static_cast<unsigned>(i));
        headers[pair->getElement<std::string>(0)] = pair->getElement<std::string>(1);
    }
    return headers;
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream in{text};
    for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
    return parts;
}

Labels query_of(const std::string& url) {
    Labels query;
    const size_t mark = url.find('?');
    if (mark == std::string::npos) return query;
    // Our own ids travel here; what cannot be decoded is nobody's id and stays as it came.
    for (const std::string& pair : split(url.substr(mark + 1), '&')) {
        const size_t equals = pair.find('=');
        const std::string value = equals == std::string::npos ? "" : pair.substr(equals + 1);
        query.emplace(pair.substr(0, equals), percent_decode(value, true).value_or(value));
    }
    return query;
}

// The row of a request. Made once, before it is queued: the statement may run twice, the row stays
// the same.
Values row_of(int64_t id, const std::string& instance, const std::string& route,
              const HttpRequest& request, TimeMs now) {
    return {id,
            instance,
            route,
            request.method,
            as_utf8(request.target),
            kept_headers_json(request),
            Blob{request.body},
            request.peer,
            now};
}

}  // namespace

IngressRow IngressRow::from_row(const Row& row) {
    IngressRow ingress;
    ingress.id = row.number(0);
    ingress.route = row.text(1);
    ingress.request.route = ingress.route;
    ingress.request.method = row.text(2);
    ingress.request.url = row.text(3);
    ingress.request.headers = headers_of(row.text(4));
    ingress.request.query = query_of(row.text(3));
    ingress.request.body = row.bytes(5);
    ingress.request.peer = row.text(6);
    ingress.request.id = std::to_string(ingress.id);
    ingress.request.received_ms = row.number(7);
    ingress.attempts = row.number(8);
    if (const auto trace = ingress.request.headers.find("traceparent");
        trace != ingress.request.headers.end())
        ingress.trace = trace->second;
    return ingress;
}

Request Ingress::plugin_request(const HttpRequest& request, const std::string& route) {
    Request converted;
    converted.route = route;
    converted.method = request.method;
    converted.url = request.target;
    converted.body = request.body;
    // One that comes twice is one list (RFC 9110 section 5.3): no copy can hide behind another.
    for (const HttpHeader& header : request.headers) {
        std::string& value = converted.headers[ascii_lower(header.name)];
        value.append(value.empty() ? "" : ", ").append(header.value);
    }
    converted.query = query_of(request.target);
    converted.peer = request.peer;
    return converted;
}

int64_t Ingress::accept(const std::string& instance, const std::string& route,
                        const HttpRequest& request, std::function<void(std::exception_ptr)> done) {
    const int64_t id = ids_.machine_id();
    before_store.pass();
    const auto began = std::chrono::steady_clock::now();
    store_.run_async(sql::ingress_store,
                     row_of(id, instance, route, request, store_.clock().now_ms()),
                     [this, instance, began, done = std::move(done)](std::exception_ptr failed) {
                         static Histogram& seconds = commit_seconds.with({});
                         if (!failed) seconds.observe(std::chrono::steady_clock::now() - began);
                         if (!failed) after_commit.pass();
                         done(failed);
                         if (!failed && accepted_) accepted_(instance);
                     });
    return id;
}

void blame_webhooks(Store& store, const std::vector<WorkLeft>& left) {
    const bool one_is_named =
        std::any_of(left.begin(), left.end(), [](const WorkLeft& one) { return one.crashed; });
    const TimeMs now = store.clock().now_ms();
    for (const WorkLeft& one : left) {
        if (one.kind != WorkKind::webhook || (one_is_named && !one.crashed)) continue;
        log_error("inbound", "the process died while a plugin read a webhook",
                  {{"ingress", std::to_string(one.id)}});
        const int64_t counts_as = one.crashed ? ingress_tries / 2 : 1;
        store.write([&](Transaction& tx) {
            const auto row =
                tx.first(sql::ingress_blame, {counts_as, std::string{died_in_it}, now, one.id});
            if (!row || row->number(0) < ingress_tries) return;
            tx.run(sql::ingress_end, {std::string{"dead"}, std::string{died_in_it}, now, one.id});
        });
    }
}

}  // namespace patchbay
