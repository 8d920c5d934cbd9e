// X-Twilio-Signature: base64(HMAC-SHA1(auth token, URL + sorted body parameters)).
// Source: https://www.twilio.com/docs/usage/webhooks/webhooks-security
#include "inbound/twilio_signature.hpp"

#include <algorithm>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"
#include "inbound/signature_scheme.hpp"

namespace patchbay {
namespace {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// As lenient as the signer: a broken escape stands for itself. Whether the body is a good form is
// asked after the signature (S4A).
std::string decoded(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+') {
            out += ' ';
        } else if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
                   hex_value(text[i + 2]) >= 0) {
            out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

template <class Visit>
void each_pair(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(text.size(), pair.size() + 1));
        if (pair.empty()) continue;
        const size_t equals = pair.find('=');
        visit(pair.substr(0, equals),
              equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
    }
}

// Names in byte order, then values; of equal values of a name one counts.
Parameters body_parameters(std::string_view body) {
    Parameters parameters;
    each_pair(body, [&](std::string_view name, std::string_view value) {
        parameters.emplace_back(decoded(name), decoded(value));
    });
    std::sort(parameters.begin(), parameters.end());
    parameters.erase(std::unique(parameters.begin(), parameters.end()), parameters.end());
    return parameters;
}

std::string joined(const Parameters& parameters) {
    std::string data;
    for (const auto& [name, value] : parameters) data.append(name).append(value);
    return data;
}

std::optional<std::string_view> body_hash(std::string_view query) {
    std::optional<std::string_view> hash;
    each_pair(query, [&](std::string_view name, std::string_view value) {
        if (name == "bodySHA256" && !hash) hash = value;
    });
    return hash;
}

// Twilio signs sometimes with and sometimes without the port: the URL without one, with the given
// one, with the standard one.
std::vector<std::string> port_variants(const std::string& url) {
    const size_t host_begin = url.find("://") == std::string::npos ? 0 : url.find("://") + 3;
    const size_t path = std::min(url.find('/', host_begin), url.size());
    const size_t at = url.rfind('@', path);
    const size_t host = at == std::string::npos || at < host_begin ? host_begin : at + 1;
    const size_t bracket = url.rfind(']', path);  // IPv6: a colon before it is no port.
    const size_t colon =
        url.find(':', bracket == std::string::npos || bracket < host ? host : bracket);
    const bool has_port = colon != std::string::npos && colon < path;
    const std::string head = url.substr(0, has_port ? colon : path);
    const std::string tail = url.substr(path);
    const std::string standard = url.starts_with("https") ? ":443" : ":80";
    const std::string port = has_port ? url.substr(colon, path - colon) : standard;
    return {head + tail, head + port + tail};
}

std::string signature_of(std::string_view data, std::string_view secret) {
    return to_base64(hmac_sha1(secret, data));
}

std::string_view query_of(std::string_view target) {
    const size_t mark = target.find('?');
    return mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
}

// WHATWG URLs, which Twilio's back end makes of what was configured, escape the quote in a query;
// clients send it as it is. One of the vectors that twilio-node publishes is signed so.
std::string with_escaped_quotes(const std::string& target) {
    std::string escaped;
    for (const char c : target) {
        if (c == '\'') {
            escaped += "%27";
        } else {
            escaped += c;
        }
    }
    return escaped;
}

std::vector<std::string> candidate_urls(std::string_view public_url, const std::string& target) {
    std::vector<std::string> bases{std::string{public_url}};
    if (public_url.ends_with('/')) {
        public_url.remove_suffix(1);
        bases.emplace_back(public_url);
    }
    std::vector<std::string> targets{target};
    if (query_of(target).find('\'') != std::string_view::npos) {
        targets.push_back(with_escaped_quotes(target));
    }
    std::vector<std::string> urls;
    for (const std::string& base : bases) {
        for (const std::string& path : targets) {
            for (std::string& url : port_variants(base + path)) urls.push_back(std::move(url));
        }
    }
    return urls;
}

// The URL is the configured one and the target as it came: never Host, never X-Forwarded-* (S40).
// One with `bodySHA256` is checked by that hash and the URL alone (S41). A `public_url` written
// with a final slash is tried as it stands and without.
class TwilioSha1 final : public SignatureScheme {
public:
    bool matches(const HttpRequest& request, const SignatureSettings& settings,
                 TimeMs) const override {
        const auto given = request.header("X-Twilio-Signature");
        if (!given || given->size() != 28) return false;

        std::string parameters;
        if (const auto hash = body_hash(query_of(request.target))) {
            if (!equal_constant_time(to_hex(sha256(request.body)), *hash)) return false;
        } else if (request.method != "GET") {
            if (!request.body.empty() &&
                request.content_type() != "application/x-www-form-urlencoded") {
                return false;  // Nothing would cover the body.
            }
            parameters = joined(body_parameters(request.body));
        }

        bool matches = false;  // Every candidate is computed: the time tells nothing.
        for (const std::string& url : candidate_urls(settings.public_url, request.target)) {
            const std::string data = url + parameters;
            for (const std::string& secret : settings.secrets) {
                if (secret.empty()) continue;
                matches |= equal_constant_time(signature_of(data, secret), *given);
            }
        }
        return matches;
    }

    void sign(Request& request, const SignatureSettings& settings, TimeMs) const override {
        request.headers["x-twilio-signature"] = signature_of(
            request.url + joined(body_parameters(request.body)), settings.secrets.front());
    }
};

}  // namespace

bool has_body_hash(const HttpRequest& request) {
    return body_hash(query_of(request.target)).has_value();
}

const SignatureScheme& twilio_sha1_scheme() {
    static const TwilioSha1 scheme;
    return scheme;
}

}  // namespace patchbay
