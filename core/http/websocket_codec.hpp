// RFC 6455 on the server's side: pushed bytes become messages, pings, pongs, a close, or one
// failure (S68). What it answers does not depend on how the bytes were cut into packets.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace patchbay {

/// Close codes of RFC 6455 and ours (api-shapes section 11).
namespace close_code {
inline constexpr uint16_t normal = 1000, going_away = 1001, protocol_error = 1002,
                          unsupported_data = 1003, none_sent = 1005, abnormal = 1006,
                          invalid_text = 1007, policy = 1008, too_large = 1009, internal = 1011,
                          try_again_later = 1013, signed_out = 4401, not_allowed = 4403;
}  // namespace close_code

/// UTF-8 that comes in pieces. [one thread]
class Utf8Check {
public:
    /// False, for good, at the first byte that cannot belong to valid text.
    bool add(std::string_view bytes);
    bool at_boundary() const { return missing_ == 0; }  ///< No character is half there.
    void reset() { *this = {}; }

private:
    uint8_t missing_ = 0;                     // Bytes of the character under way.
    uint8_t lowest_ = 0x80, highest_ = 0xBF;  // What the next of them may be.
};

/// Reads what one client sends. Holds no more than the message under way and one control frame;
/// nothing is allocated for a length that is over the limit. [one thread]
class WebSocketDecoder {
public:
    /// `message`, `ping`, `pong`: payload() has it until the next call. `close`: code() and
    /// payload() are what the client said; nothing is read behind it. `failed`: for good; code()
    /// says with what to close.
    enum class Step { need_more, message, ping, pong, close, failed };

    explicit WebSocketDecoder(uint32_t max_message_bytes = 64 << 10) : limit_(max_message_bytes) {}

    /// Consumes bytes up to the next step; after need_more none are left.
    Step next(std::string_view& bytes);

    std::string& payload() { return done_control_ ? control_ : message_; }
    uint16_t code() const { return code_; }

private:
    Step fail(uint16_t code);
    Step read_header(std::string_view& bytes);
    Step begin_frame();
    uint16_t header_fault() const;
    Step read_payload(std::string_view& bytes);
    Step end_frame();
    Step end_close();
    void forget_last();
    size_t header_size() const;
    bool is_control() const { return (header_[0] & 0x08) != 0; }

    std::string message_, control_;
    uint64_t left_ = 0;  // Of the frame's payload.
    uint32_t limit_;
    std::array<uint8_t, 14> header_{};
    uint8_t header_bytes_ = 0;  // So far.
    uint8_t mask_at_ = 0;
    uint16_t code_ = 0;
    Utf8Check text_;
    bool in_payload_ = false, in_message_ = false, message_done_ = false, done_control_ = false,
         ended_ = false, failed_ = false;
};

enum class FrameKind : uint8_t { text = 1, close = 8, ping = 9, pong = 10 };

/// The bytes before a payload of that size. A server's frames are whole and not masked.
std::string frame_header(FrameKind kind, size_t payload_bytes);

/// `reason` is cut to the 123 bytes that fit, at the boundary of a character.
std::string close_frame(uint16_t code, std::string_view reason = {});

/// A code that may stand in a close frame.
bool is_close_code(uint16_t code);

/// The value of Sec-WebSocket-Accept.
std::string websocket_accept(std::string_view key);

}  // namespace patchbay
