// Tells who waits for it what the first try of a message came to, without holding a thread
// (send-wait of the HTTP API).
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "delivery/verdict.hpp"

namespace patchbay {

struct FirstOutcome {
    Verdict verdict = Verdict::accepted;
    std::string status;  ///< The message's, afterwards.
    std::string provider_id, code, reason;
};

/// [any thread]
class OutcomeBoard {
public:
    /// nullopt: nothing was known in time, or the hub is stopping. Runs on a worker or on the
    /// board's own thread: short, no throw.
    using Callback = std::function<void(const std::optional<FirstOutcome>&)>;

    OutcomeBoard();
    ~OutcomeBoard();  ///< stop()

    /// Calls back once, at once when the outcome is there already: it is kept for 15 s, so that
    /// waiting may begin after the commit.
    void await(const std::string& message_id, std::chrono::milliseconds longest, Callback callback);
    void post(const std::string& message_id, FirstOutcome outcome);
    /// Answers all that wait with nullopt; later ones at once.
    void stop();
    size_t waiting() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
