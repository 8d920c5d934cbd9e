// Bytes as a WebSocket client may send them: read whole, in pieces whose sizes the input chooses,
// and by libwslay. The first two must agree in everything, libwslay in messages and in what is
// refused, but for the differences named below. The first byte of an input says how large the
// pieces are, and whether the rest is taken as it is or as a list of frames (first byte, length,
// payload) that are masked here: so the fuzzer comes to fragments, controls and text soon.
//
//   build/clang/bin/websocket_fuzz -max_total_time=600 -max_len=4096 NEW
//   tests/fuzz/corpus/websocket_fuzz
#include <wslay/wslay.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "http/websocket_codec.hpp"

namespace {

using patchbay::WebSocketDecoder;
using Step = WebSocketDecoder::Step;
namespace close_code = patchbay::close_code;

constexpr uint32_t max_message = 300;  // Small, so that the fuzzer reaches it.

struct Seen {
    std::vector<std::string> events;  // Opcode and payload.
    bool closed = false, failed = false;
    uint16_t code = 0;
    bool operator==(const Seen&) const = default;
};

void feed(WebSocketDecoder& decoder, std::string_view piece, Seen& seen) {
    while (!seen.closed && !seen.failed) {
        const Step step = decoder.next(piece);
        if (step == Step::need_more) {
            if (!piece.empty()) std::abort();
            return;
        }
        if (step == Step::message) seen.events.push_back("1" + decoder.payload());
        if (step == Step::ping) seen.events.push_back("9" + decoder.payload());
        if (step == Step::pong) seen.events.push_back("A" + decoder.payload());
        seen.closed = step == Step::close;
        seen.failed = step == Step::failed;
        if (seen.closed || seen.failed) seen.code = decoder.code();
        if (decoder.payload().size() > max_message) std::abort();
    }
    if (decoder.next(piece) != (seen.failed ? Step::failed : Step::need_more)) std::abort();
}

struct Judge {
    std::string_view input;
    std::string output;
    Seen seen{};
};

ssize_t take_input(wslay_event_context_ptr context, uint8_t* data, size_t size, int, void* self) {
    auto& judge = *static_cast<Judge*>(self);
    if (judge.input.empty()) {
        wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size = std::min(size, judge.input.size());
    std::memcpy(data, judge.input.data(), size);
    judge.input.remove_prefix(size);
    return static_cast<ssize_t>(size);
}

ssize_t take_output(wslay_event_context_ptr, const uint8_t* data, size_t size, int, void* self) {
    static_cast<Judge*>(self)->output.append(reinterpret_cast<const char*>(data), size);
    return static_cast<ssize_t>(size);
}

void take_message(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg* arg, void* self) {
    auto& seen = static_cast<Judge*>(self)->seen;
    const std::string payload(reinterpret_cast<const char*>(arg->msg), arg->msg_length);
    if (arg->opcode == WSLAY_CONNECTION_CLOSE) {
        seen.closed = true;
        seen.code = arg->status_code == 0 ? close_code::none_sent : arg->status_code;
    } else {
        seen.events.push_back("0123456789ABCDEF"[arg->opcode] + payload);
    }
}

// The code of the close frame that libwslay would send; 0: none.
uint16_t close_in(std::string_view output) {
    while (output.size() >= 2) {
        const size_t size = output[1] & 0x7F;  // It answers control frames only.
        if ((output[0] & 0x0F) == WSLAY_CONNECTION_CLOSE && size >= 2)
            return static_cast<uint16_t>(static_cast<uint8_t>(output[2]) << 8 |
                                         static_cast<uint8_t>(output[3]));
        output.remove_prefix(std::min(output.size(), 2 + size));
    }
    return 0;
}

Seen ask_wslay(std::string_view input) {
    Judge judge{input, {}};
    wslay_event_callbacks callbacks{};
    callbacks.recv_callback = take_input;
    callbacks.send_callback = take_output;
    callbacks.on_msg_recv_callback = take_message;
    wslay_event_context_ptr context = nullptr;
    if (wslay_event_context_server_init(&context, &callbacks, &judge) != 0) std::abort();
    wslay_event_config_set_max_recv_msg_length(context, max_message);
    const bool broke = wslay_event_recv(context) != 0;
    wslay_event_send(context);
    const uint16_t sent = close_in(judge.output);
    if (!judge.seen.closed && (broke || sent != 0)) {
        judge.seen.failed = true;
        judge.seen.code = sent;
    }
    wslay_event_context_free(context);
    return judge.seen;
}

void compare(const Seen& ours, const Seen& theirs) {
    // Binary messages are refused here and known there.
    if (ours.failed && ours.code == close_code::unsupported_data) return;
    // Close codes that were registered after libwslay 1.1.1 was written.
    if (ours.closed && ours.code >= 1012 && ours.code <= 1014) return;
    // It takes a close of one byte, which is half a code.
    if (ours.code == close_code::protocol_error && theirs.closed &&
        theirs.code == close_code::none_sent)
        return;
    if (ours.events != theirs.events || ours.closed != theirs.closed ||
        ours.failed != theirs.failed)
        std::abort();
    // A close with a bad code and a bad reason: it names the one, we the other.
    if (ours.code == close_code::protocol_error && theirs.code == close_code::invalid_text) return;
    // Where it breaks off without a close frame there is no code to compare.
    if (ours.code != theirs.code && theirs.code != 0) std::abort();
}

// Frames with a correct mask; sizes on both sides of 125, the largest of a control frame.
std::string frames_of(std::string_view list) {
    static constexpr std::string_view mask = "\x12\xA4\x9b\x01";
    std::string bytes;
    while (list.size() >= 2) {
        const char first = list[0];
        const size_t size = std::min<size_t>(static_cast<uint8_t>(list[1]) % 140, list.size() - 2);
        bytes += first;
        bytes += static_cast<char>(0x80 | (size < 126 ? size : 126));
        if (size >= 126) bytes.append(1, '\0').append(1, static_cast<char>(size));
        bytes += mask;
        for (size_t i = 0; i < size; ++i) bytes += static_cast<char>(list[2 + i] ^ mask[i % 4]);
        list.remove_prefix(2 + size);
    }
    return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const size_t longest = 1u + data[0] % 64u;
    const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::string bytes = data[0] < 0x80 ? std::string(rest) : frames_of(rest);
    // We look at a header as soon as two bytes are there, libwslay when all of it is; it looks at a
    // close code before the rest of the frame, we when all of it is there.
    bytes.append(160, '\0');

    Seen whole, pieces;
    WebSocketDecoder at_once(max_message), in_pieces(max_message);
    feed(at_once, bytes, whole);
    size_t from = 0, turn = 0;
    while (from < bytes.size() && !pieces.failed && !pieces.closed) {
        const size_t cut = 1 + (data[turn % size] + turn) % longest;
        ++turn;
        feed(in_pieces, std::string_view(bytes).substr(from, cut), pieces);
        from += cut;
    }
    if (!(whole == pieces)) std::abort();
    compare(whole, ask_wslay(bytes));
    return 0;
}
