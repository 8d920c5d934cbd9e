// Collects an answer that arrives through a pb_sink, and carries errors over the boundary.
#pragma once
#include <new>
#include <string>
#include <string_view>

#include "../abi.h"
#include "wire.hpp"

namespace patchbay::detail {

/// The largest answer either side takes. A frame of process isolation is no larger.
inline constexpr size_t max_answer_bytes = 4u << 20;

inline pb_bytes borrow(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view view(pb_bytes bytes) { return {bytes.size ? bytes.data : "", bytes.size}; }
inline void deliver(pb_sink out, std::string_view text) {
    out.write(out.self, text.data(), text.size());
}

/// Not copied or moved: the sink points at it.
class StringSink {
public:
    explicit StringSink(size_t limit = max_answer_bytes) : limit_(limit) {}
    StringSink(const StringSink&) = delete;
    StringSink& operator=(const StringSink&) = delete;

    pb_sink sink() { return {this, &StringSink::write}; }
    const std::string& text() const { return text_; }
    bool too_large() const { return too_large_; }

private:
    // Called from the other side: nothing may be thrown.
    static void write(void* self, const char* data, size_t size) noexcept {
        auto& sink = *static_cast<StringSink*>(self);
        if (sink.too_large_ || size > sink.limit_ - sink.text_.size()) {
            sink.too_large_ = true;
            return;
        }
        try {
            sink.text_.append(data, size);
        } catch (const std::bad_alloc&) {
            sink.too_large_ = true;
        }
    }

    std::string text_;
    size_t limit_;
    bool too_large_ = false;
};

/// An error as it crosses; the kind is the status beside it.
struct ErrorRecord {
    std::string text{}, code{};
    milliseconds retry_after{0};
    bool request_left = false, connection = false;
    /// key of the configuration -> what was expected
    std::map<std::string, std::string> problems{};
    PATCHBAY_FIELDS {
        v(1, text)(2, code)(3, retry_after)(4, request_left)(5, connection)(6, problems);
    }
};

/// Configuration that cannot be used: every problem at once.
struct ConfigProblems : Error {
    explicit ConfigProblems(std::map<std::string, std::string> found)
        : Error(ErrorKind::config, "the configuration has mistakes"), problems(std::move(found)) {}
    std::map<std::string, std::string> problems;
};

template <class Work>
int32_t translate_errors(pb_sink err, Work work) {
    const auto fail = [&](ErrorKind kind, const ErrorRecord& record) {
        deliver(err, wire::write(record));
        return static_cast<int32_t>(kind == ErrorKind::none ? ErrorKind::internal : kind);
    };
    try {
        work();
        return 0;
    } catch (const ConfigProblems& error) {
        return fail(error.kind, {error.what(), error.code, {}, false, false, error.problems});
    } catch (const ConnectionFailed& error) {
        return fail(error.kind,
                    {error.what(), error.code, error.retry_after, error.request_left, true, {}});
    } catch (const Error& error) {
        return fail(error.kind,
                    {error.what(), error.code, error.retry_after, error.request_left, false, {}});
    } catch (const std::exception& error) {
        return fail(ErrorKind::internal, {error.what()});
    } catch (...) {
        return fail(ErrorKind::internal, {"an exception that is not a std::exception"});
    }
}

/// Calls `work` and turns whatever it throws into a status and an error in `err`. Nothing gets out.
template <class Work>
int32_t guarded(pb_sink err, Work work) noexcept {
    try {
        return translate_errors(err, work);
    } catch (...) {  // No memory for the text: the kind alone must do.
        return static_cast<int32_t>(ErrorKind::internal);
    }
}

/// Throws what the other side reported.
[[noreturn]] inline void rethrow(int32_t status, std::string_view message) {
    ErrorRecord record;
    try {
        wire::read(message, record);
    } catch (const wire::Malformed&) {
        record = {"an error without a readable text"};
    }
    const auto raise = [&](auto error) {
        error.code = record.code;
        error.retry_after = record.retry_after;
        error.request_left = record.request_left;
        throw error;
    };
    const auto kind = status > 0 && status <= static_cast<int32_t>(ErrorKind::internal)
                          ? static_cast<ErrorKind>(status)
                          : ErrorKind::internal;
    if (record.connection) raise(ConnectionFailed(record.request_left, record.text));
    if (kind == ErrorKind::request) raise(RequestError(400, record.text));
    if (!record.problems.empty()) raise(ConfigProblems(std::move(record.problems)));
    raise(Error(kind, record.text));
    throw Error(kind, record.text);  // Not reached: tells the compiler so.
}

}  // namespace patchbay::detail
