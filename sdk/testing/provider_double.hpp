// An HTTP server on a loopback port that says what a test wants to hear.
#pragma once
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/ServerSocket.h>

#include <deque>
#include <mutex>
#include <optional>

#include "bench.hpp"

namespace patchbay {

/// [any thread]
class ProviderDouble {
public:
    ProviderDouble();
    ~ProviderDouble();

    using Answer = bench::Answer;
    void answer_always(Answer answer);
    void answer_next(Answer answer);
    void answer_to(const std::string& part, Answer answer);
    void go_away();

    /// Sends the request here, whatever its host. Throws ConnectionFailed as the hub's client does.
    Response call(const Request& request, milliseconds timeout);
    std::vector<ProviderRequest> requests() const;

private:
    class Handler;
    class Factory;
    Answer take_answer(const ProviderRequest& request);

    mutable std::mutex mutex_;
    std::vector<ProviderRequest> requests_;
    std::vector<std::pair<std::string, Answer>> by_target_;
    std::deque<Answer> next_;
    Answer always_{};
    uint16_t port_ = 0;
    Poco::Net::ServerSocket socket_;
    std::unique_ptr<Poco::Net::HTTPServer> server_;
};

}  // namespace patchbay
