#include "http/http_call.hpp"

#include <sys/socket.h>

#include <cstdlib>

#include "http/peer.hpp"

namespace patchbay {
namespace {

// Runs when a connection is there and before the first byte of each attempt. libcurl repeats a
// request by itself, POST included, when a kept connection ends without an answer; the server may
// have worked on it, so the second attempt ends here.
int before_request(void* self, char*, char*, int, int) {
    auto& call = *static_cast<HttpCall*>(self);
    call.note_what_left();
    if (call.left && !call.may_resend) {
        call.cut = "the connection ended before an answer came";
        return CURL_PREREQFUNC_ABORT;
    }
    call.waiting->erase({call.first_byte_until, &call});
    call.first_byte_until = SteadyClock::now() + call.first_byte_timeout;
    call.waiting->insert({call.first_byte_until, &call});
    return CURL_PREREQFUNC_OK;
}

void take_header(Response& response, std::string_view line) {
    if (line.starts_with("HTTP/")) {
        // Of several heads (100 Continue before 200) the last one counts.
        response = {};
        const size_t space = line.find(' ');
        response.status = space == std::string_view::npos
                              ? 0
                              : std::atoi(std::string(line.substr(space + 1, 3)).c_str());
        return;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    const std::string_view value = trim(line.substr(colon + 1));
    const auto [place, fresh] =
        response.headers.try_emplace(ascii_lower(line.substr(0, colon)), value);
    if (!fresh) place->second.append(", ").append(value);
}

size_t on_header(char* data, size_t size, size_t count, void* self) {
    auto& call = *static_cast<HttpCall*>(self);
    const std::string_view line(data, size * count);
    if (!std::exchange(call.first_byte, true)) call.waiting->erase({call.first_byte_until, &call});
    call.header_bytes += line.size();
    if (call.header_bytes > call.max_headers) {
        call.cut = "the headers of the answer are too large";
        return 0;
    }
    if (!call.body_begun) take_header(call.response, line);  // Trailers are dropped.
    return line.size();
}

size_t on_body(char* data, size_t size, size_t count, void* self) {
    auto& call = *static_cast<HttpCall*>(self);
    const std::string_view piece(data, size * count);
    call.body_begun = true;
    if (piece.size() > call.max_body - call.response.body.size()) {
        call.cut = "the answer is too large";
        return 0;
    }
    call.response.body.append(piece);
    return piece.size();
}

bool may_connect(const HttpCall& call, const sockaddr& address) {
    if (!call.reach) return true;
    if (*call.reach == UrlReach::loopback) return PeerAddress::of(address).is_loopback();
    return is_public(address);
}

curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address) {
    auto& call = *static_cast<HttpCall*>(self);
    // Checked on the address that is connected to, so that no second look-up can give another one
    // (S50).
    if (!may_connect(call, address->addr)) {
        call.refused_address = true;
        return CURL_SOCKET_BAD;
    }
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace

void HttpCall::attach() {
    curl_easy_setopt(handle, CURLOPT_PRIVATE, this);
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(handle, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(handle, CURLOPT_PREREQDATA, this);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, this);
}

void HttpCall::note_what_left() {
    long head = 0;
    curl_off_t body = 0;
    curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &head);
    curl_easy_getinfo(handle, CURLINFO_SIZE_UPLOAD_T, &body);
    left = left || head > 0 || body > 0;
}

}  // namespace patchbay
