#include "listener.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/StreamCopier.h>
#include <Poco/ThreadPool.h>

#include <patchbay/form.hpp>
#include <patchbay/text.hpp>

namespace patchbay::sandbox {
namespace {

constexpr int max_connections = 64;
constexpr int max_body_bytes = 1 << 20;
constexpr int idle_seconds = 30;

Labels query_of(const std::string& target) {
    Labels query;
    const size_t mark = target.find('?');
    if (mark == std::string::npos) return query;
    const Form form = Form::parse(std::string_view{target}.substr(mark + 1));
    for (const auto& [name, value] : form.all()) query[name] = value;
    return query;
}

// Throws RequestError for what no client of ours sends.
Request request_from(Poco::Net::HTTPServerRequest& request) {
    Request read;
    read.method = request.getMethod();
    read.url = request.getURI();
    for (const auto& [name, value] : request) read.headers[ascii_lower(name)] = value;
    if (request.getContentLength64() > max_body_bytes) throw RequestError(413, "too large");
    Poco::StreamCopier::copyToString(request.stream(), read.body);
    read.query = query_of(read.url);
    return read;
}

void answer(Poco::Net::HTTPServerResponse& to, const Response& response) {
    to.setStatusAndReason(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(response.status),
                          Poco::Net::HTTPResponse::getReasonForStatus(
                              static_cast<Poco::Net::HTTPResponse::HTTPStatus>(response.status)));
    for (const auto& [name, value] : response.headers) to.set(name, value);
    to.sendBuffer(response.body.data(), response.body.size());
}

// Below Poco's response object, which would end the answer properly.
void answer_half(Poco::Net::StreamSocket& socket, const Response& response) {
    const std::string head = "HTTP/1.1 " + std::to_string(response.status) +
                             " Cut\r\nContent-Type: application/json\r\nContent-Length: " +
                             std::to_string(response.body.size()) + "\r\n\r\n";
    const std::string part = head + response.body.substr(0, response.body.size() / 2);
    socket.sendBytes(part.data(), static_cast<int>(part.size()));
}

class OneRequest final : public Poco::Net::HTTPRequestHandler {
public:
    explicit OneRequest(const Listener::Handler& handler) : handler_(handler) {}

    void handleRequest(Poco::Net::HTTPServerRequest& request,
                       Poco::Net::HTTPServerResponse& response) override try {
        const Reply reply = reply_to(request);
        if (reply.answered == Answered::whole) return answer(response, reply.response);

        auto& socket = static_cast<Poco::Net::HTTPServerRequestImpl&>(request).socket();
        if (reply.answered == Answered::half) answer_half(socket, reply.response);
        response.setKeepAlive(false);
        socket.shutdown();
    } catch (const Poco::Exception&) {
        // The other side has gone; there is nobody to tell.
    }

private:
    Reply reply_to(Poco::Net::HTTPServerRequest& request) try {
        return {handler_(request_from(request))};
    } catch (const RequestError& error) {
        return {{error.http_status(), error.what(), {}}};
    }

    const Listener::Handler& handler_;
};

class Requests final : public Poco::Net::HTTPRequestHandlerFactory {
public:
    explicit Requests(Listener::Handler handler) : handler_(std::move(handler)) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest&) override {
        return new OneRequest{handler_};  // Poco deletes it.
    }

private:
    const Listener::Handler handler_;
};

Poco::Net::HTTPServerParams::Ptr parameters() {
    Poco::Net::HTTPServerParams::Ptr parameters = new Poco::Net::HTTPServerParams;
    parameters->setMaxThreads(max_connections);
    parameters->setMaxQueued(max_connections * 4);
    // A thread that Poco's stop does not find waiting waits this long before it ends.
    parameters->setThreadIdleTime(Poco::Timespan{0, 100'000});
    parameters->setKeepAlive(true);
    parameters->setKeepAliveTimeout(Poco::Timespan{idle_seconds, 0});
    parameters->setTimeout(Poco::Timespan{idle_seconds, 0});
    return parameters;
}

Poco::Net::ServerSocket listening_on(const std::string& address) try {
    Poco::Net::ServerSocket socket;
    // Without SO_REUSEPORT, which Poco sets otherwise: two sandboxes would share what comes.
    socket.bind(Poco::Net::SocketAddress{address}, true, false);
    socket.listen(max_connections);
    return socket;
} catch (const Poco::Exception& error) {
    throw Error(ErrorKind::config, "cannot listen on " + address + ": " + error.displayText());
}

}  // namespace

struct Listener::Impl {
    Impl(const std::string& address, Handler handler)
        : socket(listening_on(address)),
          threads("sandbox", 2, max_connections),
          server(new Requests{std::move(handler)}, threads, socket, parameters()) {
        server.start();
    }
    ~Impl() {
        server.stopAll(true);
        // A plugin is unmapped after this: not one of its threads may be left.
        threads.joinAll();
    }

    Poco::Net::ServerSocket socket;
    // Its own, not the process's: what runs here must end here. Before the server, which uses it.
    Poco::ThreadPool threads;
    Poco::Net::HTTPServer server;
};

Listener::Listener(const std::string& address, Handler handler)
    : impl_(std::make_unique<Impl>(address, std::move(handler))) {}
Listener::~Listener() = default;

uint16_t Listener::port() const { return impl_->socket.address().port(); }

}  // namespace patchbay::sandbox
