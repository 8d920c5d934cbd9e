// A small HTTP server of the sandbox's own: a provider is another machine, and a fault must be able
// to cut a connection in the middle of an answer, which the hub's own server never does.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <patchbay/sdk.hpp>
#include <string>

namespace patchbay::sandbox {

/// `none`: closed without an answer. `half`: the head and half of the body.
enum class Answered { whole, half, none };

struct Reply {
    Response response;
    Answered answered = Answered::whole;
};

/// Serves until it is destroyed: then no thread of it is left. A thread for each connection, 64 at
/// most.
class Listener {
public:
    /// [any thread] Must not throw. Request::url is the target as it came, Request::query is
    /// decoded.
    using Handler = std::function<Reply(const Request&)>;

    /// Throws Error(config) when the address cannot be listened on. Port 0: the system chooses.
    Listener(const std::string& address, Handler handler);
    ~Listener();

    uint16_t port() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace patchbay::sandbox
