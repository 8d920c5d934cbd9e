#include "provider_double.hpp"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPRequestHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPServerRequest.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/StreamCopier.h>
#include <Poco/URI.h>

namespace patchbay {
namespace {

constexpr const char* url_header = "x-patchbay-test-url";

Labels headers_of(const Poco::Net::NameValueCollection& from) {
    Labels headers;
    for (const auto& [name, value] : from) headers[ascii_lower(name)] = value;
    return headers;
}

}  // namespace

class ProviderDouble::Handler final : public Poco::Net::HTTPRequestHandler {
public:
    explicit Handler(ProviderDouble& provider) : provider_(provider) {}

    void handleRequest(Poco::Net::HTTPServerRequest& request,
                       Poco::Net::HTTPServerResponse& response) override {
        ProviderRequest seen{request.getMethod(), {}, request.getURI(), headers_of(request), {}};
        Poco::StreamCopier::copyToString(request.stream(), seen.body);
        seen.url = seen.headers[url_header];
        seen.headers.erase(url_header);
        const Answer answer = provider_.take_answer(seen);
        if (answer.hangs_up) {
            static_cast<Poco::Net::HTTPServerRequestImpl&>(request).socket().shutdown();
            return;
        }
        response.setStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
        for (const auto& [name, value] : answer.headers) response.set(name, value);
        response.sendBuffer(answer.body.data(), answer.body.size());
    }

private:
    ProviderDouble& provider_;
};

class ProviderDouble::Factory final : public Poco::Net::HTTPRequestHandlerFactory {
public:
    explicit Factory(ProviderDouble& provider) : provider_(provider) {}
    Poco::Net::HTTPRequestHandler* createRequestHandler(
        const Poco::Net::HTTPServerRequest&) override {
        return new Handler(provider_);
    }

private:
    ProviderDouble& provider_;
};

ProviderDouble::ProviderDouble() : socket_(Poco::Net::SocketAddress("127.0.0.1", 0)) {
    port_ = socket_.address().port();
    auto params = Poco::makeAuto<Poco::Net::HTTPServerParams>();
    params->setKeepAlive(false);
    server_ = std::make_unique<Poco::Net::HTTPServer>(new Factory(*this), socket_, params);
    server_->start();
}

ProviderDouble::~ProviderDouble() {
    // Else it waits for a quarter of a second until it sees that it is to stop.
    ::shutdown(socket_.impl()->sockfd(), SHUT_RD);
    server_->stopAll(true);
}

void ProviderDouble::answer_always(Answer answer) {
    const std::lock_guard lock(mutex_);
    always_ = std::move(answer);
}

void ProviderDouble::answer_next(Answer answer) {
    const std::lock_guard lock(mutex_);
    next_.push_back(std::move(answer));
}

void ProviderDouble::answer_to(const std::string& part, Answer answer) {
    const std::lock_guard lock(mutex_);
    by_target_.emplace_back(part, std::move(answer));
}

void ProviderDouble::go_away() {
    const std::lock_guard lock(mutex_);
    port_ = 0;
}

std::vector<ProviderRequest> ProviderDouble::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

ProviderDouble::Answer ProviderDouble::take_answer(const ProviderRequest& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    for (const auto& [part, answer] : by_target_)
        if (request.target.find(part) != std::string::npos) return answer;
    if (next_.empty()) return always_;
    Answer answer = std::move(next_.front());
    next_.pop_front();
    return answer;
}

Response ProviderDouble::call(const Request& request, milliseconds timeout) {
    uint16_t port = 0;
    {
        const std::lock_guard lock(mutex_);
        port = port_;
    }
    if (port == 0) throw ConnectionFailed(false, "connection refused");
    const Poco::URI uri(request.url);
    Poco::Net::HTTPClientSession session("127.0.0.1", port);
    session.setTimeout(Poco::Timespan(timeout.count() * 1000));
    Poco::Net::HTTPRequest out(request.method.empty() ? "GET" : request.method,
                               uri.getPathAndQuery(), "HTTP/1.1");
    for (const auto& [name, value] : request.headers) out.set(name, value);
    out.setHost(uri.getHost(), uri.getPort());
    out.set(url_header, request.url);
    out.setContentLength(static_cast<std::streamsize>(request.body.size()));
    try {
        session.sendRequest(out) << request.body;
        Poco::Net::HTTPResponse in;
        Response answer;
        Poco::StreamCopier::copyToString(session.receiveResponse(in), answer.body);
        answer.status = in.getStatus();
        answer.headers = headers_of(in);
        return answer;
    } catch (const Poco::Exception& error) {
        throw ConnectionFailed(true, std::string("no answer: ") + error.name());
    }
}

}  // namespace patchbay
