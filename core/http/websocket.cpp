#include "http/websocket.hpp"

#include <patchbay/text.hpp>

#include "http/problem.hpp"
#include "http/reactor.hpp"

namespace patchbay {
namespace {

constexpr size_t key_bytes = 16;

bool has_token(const HttpRequest& request, std::string_view name, std::string_view token) {
    for (const HttpHeader& header : request.headers) {
        if (!equal_ignoring_case(header.name, name)) continue;
        std::string_view rest = header.value;
        while (!rest.empty()) {
            const size_t comma = std::min(rest.find(','), rest.size());
            if (equal_ignoring_case(trim(rest.substr(0, comma)), token)) return true;
            rest.remove_prefix(std::min(comma + 1, rest.size()));
        }
    }
    return false;
}

Problem upgrade_required() {
    return Problem("upgrade_required", "This path speaks WebSocket, version 13.")
        .header("Upgrade", "websocket")
        .header("Sec-WebSocket-Version", "13");
}

}  // namespace

std::string require_handshake(const HttpRequest& request) {
    if (request.method != "GET" || !has_token(request, "Upgrade", "websocket") ||
        !has_token(request, "Connection", "Upgrade"))
        throw upgrade_required();
    const auto version = request.header("Sec-WebSocket-Version");
    if (version != "13") throw upgrade_required();
    const auto key = request.header("Sec-WebSocket-Key");
    const auto decoded = key ? from_base64(*key) : std::nullopt;
    if (!decoded || decoded->size() != key_bytes)
        throw Problem("invalid_header", "Sec-WebSocket-Key must be 16 bytes in base64, once.");
    return websocket_accept(*key);
}

WebSocket::WebSocket(std::shared_ptr<Inbox> inbox, uint64_t connection)
    : inbox_(std::move(inbox)), connection_(connection) {}

WebSocket::~WebSocket() = default;

void WebSocket::send(std::string_view prefix, SharedText text) {
    if (closed_) return;
    const size_t size = prefix.size() + text->size();
    std::string head = frame_header(FrameKind::text, size).append(prefix);
    const size_t bytes = head.size() + text->size();
    if (queued_.fetch_add(bytes) + bytes > max_socket_queue)
        return close(close_code::try_again_later, "slow reader");
    inbox_->post({.connection = connection_, .head = std::move(head), .text = std::move(text)});
}

void WebSocket::send(std::string text) {
    send({}, std::make_shared<const std::string>(std::move(text)));
}

void WebSocket::close(uint16_t code, const std::string& reason) {
    if (closed_.exchange(true)) return;
    inbox_->post({.connection = connection_, .head = reason, .text = {}, .close_code = code});
}

void WebSocket::tell_when_drained() {
    inbox_->post({.connection = connection_, .head = {}, .text = {}, .drained = true});
}

}  // namespace patchbay
