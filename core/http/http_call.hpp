// One call of the client while libcurl works on it. Internal to the client.
#pragma once
#include <curl/curl.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <patchbay/sdk.hpp>
#include <set>
#include <utility>

#include "http/url_reach.hpp"

namespace patchbay {

using SteadyClock = std::chrono::steady_clock;

struct FreeHeaderList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

/// Made by the caller, then the loop's until `done`.
struct HttpCall {
    // Set by the caller.
    CURL* handle = nullptr;
    std::unique_ptr<curl_slist, FreeHeaderList> headers{};
    bool may_resend = false;
    size_t max_body = 0, max_headers = 0;
    std::chrono::milliseconds first_byte_timeout{0};
    std::optional<UrlReach> reach{};  // Where it may lead; empty: anywhere.

    // The loop's.
    Response response{};
    size_t header_bytes = 0;
    bool first_byte = false, body_begun = false, left = false, refused_address = false;
    const char* cut = nullptr;  // Why we ended it ourselves.
    SteadyClock::time_point first_byte_until = SteadyClock::time_point::max();
    std::set<std::pair<SteadyClock::time_point, HttpCall*>>* waiting = nullptr;

    /// Sets the callbacks that fill this call on its handle.
    void attach();
    /// Sets `left` when libcurl has given a byte of the request to a socket, in any attempt.
    void note_what_left();

    void finish(CURLcode code) {
        const std::lock_guard lock(mutex);
        result = code;
        done = true;
        changed.notify_one();
    }
    CURLcode wait() {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return done; });
        return result;
    }

    std::mutex mutex{};
    std::condition_variable changed{};
    CURLcode result = CURLE_OK;
    bool done = false;
};

}  // namespace patchbay
