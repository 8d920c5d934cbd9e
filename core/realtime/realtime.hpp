// What happens, told to those who listen: the sockets of /ws (G20, S67, S69).
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "realtime/switchboard.hpp"
#include "store/store.hpp"

namespace patchbay {

/// One thread does it all: it reads what was noted after a commit (Store::on_changes), sends it and
/// obeys the sockets. What it owes is bounded; who is too much for it is hung up on and finds out
/// when he resumes (`resync`), never by a silent gap.
class Realtime {
public:
    /// What a batch of changes is to those who listen, in order. Reads the store; may throw.
    using Render = std::function<std::vector<LiveEvent>(Session&, const Changes&)>;
    /// Who a token belongs to. Reads the store; throws Problem.
    using SignIn = std::function<Caller(const std::string& token)>;
    struct Parts {
        Store& store;
        SignIn sign_in;
        Render render;
        std::string version;  ///< Of the hub, for `hello`.
        Switchboard::Limits limits{};
        size_t max_changes = 20'000;  ///< Waiting to be told.
    };
    explicit Realtime(Parts parts);
    ~Realtime();  ///< stop()

    void start();
    /// What is not told by now stays untold. The sockets are the server's to close. Idempotent.
    void stop();

    /// A handler for Exchange::upgrade. Without `who`, whose look-up began at `looked_up`, the
    /// client has to say it first. It must not outlive this. [any thread]
    WebSocketHandlerPtr listener(std::optional<Caller> who, TimeMs looked_up);

    /// For Store::on_changes. [the writer thread] Does not block.
    void changed(const Changes& changes);
    void publish(LiveEvent event);  ///< What is in no row. [any thread]
    /// Hangs up on a user's sockets that were opened with this credential; empty: on all. [any
    /// thread]
    void end_user(const std::string& user, const std::string& credential, uint16_t code,
                  const std::string& reason);
    /// `who` writes in a conversation, or stopped. [any thread]
    void typing(const std::string& conversation, const Caller& who, bool is_typing);

    size_t sockets() const;  ///< Open now. [any thread]

private:
    struct Impl;
    class Ear;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay
