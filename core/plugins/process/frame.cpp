#include "plugins/process/frame.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace patchbay {
namespace {

// Waits until something can be written. False: `until` has come.
bool wait_for_room(int socket, std::chrono::steady_clock::time_point until) {
    using namespace std::chrono;
    const auto left = duration_cast<milliseconds>(until - steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd waiting{socket, POLLOUT, 0};
    ::poll(&waiting, 1, static_cast<int>(std::min<int64_t>(left, 60'000)));
    return true;  // Tried again, and asked again whether there is time.
}

}  // namespace

long FrameReader::fill(int flags) {
    buffer_.erase(0, std::exchange(taken_, 0));
    if (buffer_.empty() && buffer_.capacity() > 4 * read_bytes) buffer_.shrink_to_fit();
    std::array<char, read_bytes> piece;  // Not in the buffer: growing that would clear it first.
    long count = 0;
    do count = ::recv(socket_, piece.data(), piece.size(), flags);
    while (count < 0 && errno == EINTR);
    if (count > 0) buffer_.append(piece.data(), static_cast<size_t>(count));
    return count;
}

std::optional<Frame> FrameReader::take() {
    const std::string_view rest = std::string_view(buffer_).substr(taken_);
    Frame frame;
    if (rest.size() < sizeof frame.header) return std::nullopt;
    std::memcpy(&frame.header, rest.data(), sizeof frame.header);
    const bool is_known =
        frame.header.kind >= FrameKind::answer && frame.header.kind <= FrameKind::destroy;
    if (!is_known) throw BadFrame("bytes that are no frame");
    if (frame.header.length > detail::max_answer_bytes) throw BadFrame("a frame over 4 MiB");
    const size_t whole = sizeof frame.header + frame.header.length;
    if (rest.size() < whole) return std::nullopt;
    frame.payload = rest.substr(sizeof frame.header, frame.header.length);
    taken_ += whole;
    return frame;
}

bool send_frame(int socket, FrameHeader header, std::string_view payload,
                std::chrono::steady_clock::time_point until) {
    header.length = static_cast<uint32_t>(payload.size());
    const size_t whole = sizeof header + payload.size();
    for (size_t sent = 0; sent < whole;) {
        const size_t of_header = std::min(sent, sizeof header);
        const size_t of_payload = sent - of_header;
        iovec parts[] = {
            {reinterpret_cast<char*>(&header) + of_header, sizeof header - of_header},
            {const_cast<char*>(payload.data()) + of_payload, payload.size() - of_payload}};
        msghdr message{};
        message.msg_iov = parts;
        message.msg_iovlen = 2;
        const ssize_t count = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count >= 0) {
            sent += static_cast<size_t>(count);
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN || !wait_for_room(socket, until)) return false;
    }
    return true;
}

}  // namespace patchbay
