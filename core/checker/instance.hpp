// A plugin as the checker holds it: every call with its bare status, so that an exception of the
// plugin's can be told from an Error that it meant.
#pragma once
#include <patchbay/abi.h>

#include <atomic>
#include <patchbay/detail/sink.hpp>
#include <patchbay/sdk.hpp>
#include <string>

#include "checker/check_table.hpp"
#include "plugins/library.hpp"
#include "plugins/loaded_plugin.hpp"

namespace patchbay::checker {

/// What a call gave back.
struct Answer {
    ErrorKind kind = ErrorKind::none;
    std::string bytes;  ///< Of the answer; empty after an error.
    detail::ErrorRecord error;

    bool ok() const { return kind == ErrorKind::none; }
    /// An exception that is no Error: a bug.
    bool is_foreign() const { return kind == ErrorKind::internal; }
    /// "internal: stoi"
    std::string words() const;
    /// Throws Failed where the bytes are no such message.
    template <class Out>
    Out as() const {
        Out out{};
        try {
            wire::unpack(bytes, wire::Text::trusted, out);
        } catch (const wire::Malformed& malformed) {
            throw Failed{std::string("an answer cannot be decoded: ") + malformed.what()};
        }
        return out;
    }
};

Answer answer_of(int32_t status, const std::string& bytes);

/// One instance. Lives longer than its library's code runs: what is called too late is counted.
class Instance {
public:
    explicit Instance(HostCall host) : host_(std::move(host)) {}
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;

    /// Once.
    Answer create(const pb_plugin& plugin, const Labels& config);
    template <class... In>
    Answer call(uint32_t method, const In&... in) {
        return call_bytes(method, wire::pack(in...));
    }
    Answer call_bytes(uint32_t method, std::string_view in);
    /// Idempotent.
    void destroy();
    /// Host calls since destroy() has returned.
    int calls_after_destroy() const { return late_calls_; }

private:
    static int32_t host_call(void* self, uint32_t method, pb_bytes in, pb_sink out);

    HostCall host_;
    pb_host table_{sizeof(pb_host), PB_ABI_MINOR, this, &Instance::host_call};
    pb_instance plugin_{};
    std::atomic<bool> is_stopping_{false}, is_destroyed_{false};
    std::atomic<int> late_calls_{0};
};

}  // namespace patchbay::checker
