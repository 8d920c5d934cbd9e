// What broke: thrown inside the plugin or the host, translated at the boundary, never crossing it.
#pragma once
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace patchbay {
using std::chrono::milliseconds;

// The numbers cross the boundary: add at the end, never renumber.
enum class ErrorKind : int32_t {
    none,
    config,
    request,
    unauthorized,
    forbidden,
    not_found,
    conflict,
    unsupported,
    refused,
    rate_limited,
    unavailable,
    timed_out,
    stopping,
    internal  // A bug: any other exception.
};

struct Error : std::runtime_error {
    explicit Error(ErrorKind what_kind, const std::string& text)
        : std::runtime_error(text), kind(what_kind) {}

    ErrorKind kind;
    std::string code{};  ///< The provider's own, verbatim.
    milliseconds retry_after{0};
    bool request_left = false;  ///< It may have had its effect although no answer came.

    /// The status a caller of the HTTP API sees.
    int http_status() const;
};

/// The caller's mistake; becomes the HTTP answer. The text names the field, never a secret.
struct RequestError : Error {
    RequestError(int status, const std::string& text) : Error(ErrorKind::request, text) {
        code = std::to_string(status);
    }
    static RequestError unauthorized() { return {401, "unauthorized"}; }
    /// 400: which of the two counts would be a guess.
    static RequestError twice(const std::string& name) {
        RequestError error(400, "field \"" + name + "\" is given twice");
        error.code = "duplicate_parameter";
        return error;
    }
};

/// The network's: no complete answer came. `left` is false only when not one byte had gone out.
struct ConnectionFailed : Error {
    ConnectionFailed(bool left, const std::string& text) : Error(ErrorKind::unavailable, text) {
        request_left = left;
    }
};

inline int Error::http_status() const {
    switch (kind) {
        case ErrorKind::none:
            return 200;
        case ErrorKind::request: {
            const bool is_status = code.size() == 3 && code >= "400" && code <= "599";
            return is_status ? std::stoi(code) : 400;
        }
        case ErrorKind::unauthorized:
            return 401;
        case ErrorKind::forbidden:
            return 403;
        case ErrorKind::not_found:
            return 404;
        case ErrorKind::conflict:
            return 409;
        case ErrorKind::refused:
            return 422;
        case ErrorKind::rate_limited:
            return 429;
        case ErrorKind::unsupported:
            return 501;
        case ErrorKind::unavailable:
        case ErrorKind::stopping:
            return 503;
        case ErrorKind::timed_out:
            return 504;
        default:
            return 500;
    }
}

/// The word for logs, metrics and answers.
inline const char* word(ErrorKind kind) {
    static constexpr const char* words[] = {
        "none",        "config",    "request",     "unauthorized", "forbidden",
        "not_found",   "conflict",  "unsupported", "refused",      "rate_limited",
        "unavailable", "timed_out", "stopping",    "internal"};
    const auto number = static_cast<uint32_t>(kind);
    return number < std::size(words) ? words[number] : "internal";
}

}  // namespace patchbay
