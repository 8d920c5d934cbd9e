#include "http/websocket_codec.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <patchbay/text.hpp>
#include <stdexcept>

namespace patchbay {
namespace {

enum Opcode : uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

constexpr size_t max_control_bytes = 125;
constexpr uint8_t final_bit = 0x80, reserved_bits = 0x70, opcode_bits = 0x0F, mask_bit = 0x80;

// Source: RFC 6455, section 1.3.
constexpr std::string_view accept_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

bool is_known(uint8_t opcode) { return opcode <= binary || (opcode >= close && opcode <= pong); }

}  // namespace

bool Utf8Check::add(std::string_view bytes) {
    for (const char c : bytes) {
        const auto byte = static_cast<uint8_t>(c);
        if (missing_ > 0) {
            if (byte < lowest_ || byte > highest_) return false;
            lowest_ = 0x80;
            highest_ = 0xBF;
            --missing_;
        } else if (byte >= 0x80) {
            // Too long forms, surrogates and what lies above U+10FFFF show in the second byte.
            if (byte < 0xC2 || byte > 0xF4) return false;
            missing_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
            if (byte == 0xE0) lowest_ = 0xA0;
            if (byte == 0xED) highest_ = 0x9F;
            if (byte == 0xF0) lowest_ = 0x90;
            if (byte == 0xF4) highest_ = 0x8F;
        }
    }
    return true;
}

WebSocketDecoder::Step WebSocketDecoder::next(std::string_view& bytes) {
    forget_last();
    while (!ended_) {
        const Step step = in_payload_ ? read_payload(bytes) : read_header(bytes);
        if (step != Step::need_more) return step;
        // An empty frame ends with its header, so it is gone through without a further byte.
        if (bytes.empty() && !(in_payload_ && left_ == 0)) return Step::need_more;
    }
    bytes = {};
    return failed_ ? Step::failed : Step::need_more;
}

void WebSocketDecoder::forget_last() {
    if (done_control_) control_ = {};
    if (message_done_) message_ = {};
    done_control_ = message_done_ = false;
}

WebSocketDecoder::Step WebSocketDecoder::fail(uint16_t code) {
    code_ = code;
    ended_ = failed_ = true;
    message_ = {};
    control_ = {};
    return Step::failed;
}

size_t WebSocketDecoder::header_size() const {
    if (header_bytes_ < 2) return 2;
    const uint8_t length = header_[1] & 0x7F;
    const size_t mask = header_[1] & mask_bit ? 4 : 0;
    return 2 + mask + (length == 126 ? 2 : length == 127 ? 8 : 0);
}

// What is wrong with the first two bytes is said at once, before the rest of the frame comes.
WebSocketDecoder::Step WebSocketDecoder::read_header(std::string_view& bytes) {
    while (header_bytes_ < header_size()) {
        if (bytes.empty()) return Step::need_more;
        header_[header_bytes_++] = static_cast<uint8_t>(bytes.front());
        bytes.remove_prefix(1);
        if (header_bytes_ != 2) continue;
        if (const uint16_t fault = header_fault()) return fail(fault);
    }
    return begin_frame();
}

uint16_t WebSocketDecoder::header_fault() const {
    const uint8_t opcode = header_[0] & opcode_bits;
    const uint8_t length = header_[1] & 0x7F;
    if ((header_[0] & reserved_bits) != 0 || !is_known(opcode)) return close_code::protocol_error;
    if ((header_[1] & mask_bit) == 0) return close_code::protocol_error;
    if (is_control()) {
        const bool whole = (header_[0] & final_bit) != 0 && length <= max_control_bytes;
        return whole ? 0 : close_code::protocol_error;
    }
    if ((opcode == continuation) != in_message_) return close_code::protocol_error;
    return opcode == binary ? close_code::unsupported_data : 0;
}

WebSocketDecoder::Step WebSocketDecoder::begin_frame() {
    const uint8_t length = header_[1] & 0x7F;
    const size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
    left_ = extended > 0 ? 0 : length;
    for (size_t i = 0; i < extended; ++i) left_ = left_ << 8 | header_[2 + i];
    const bool is_shortest = extended == 0 || (extended == 2 ? left_ > 125 : left_ > 0xFFFF);
    if (!is_shortest || left_ >> 63 != 0) return fail(close_code::protocol_error);
    if (!is_control() && left_ > limit_ - message_.size()) return fail(close_code::too_large);
    mask_at_ = 0;
    in_payload_ = true;
    return Step::need_more;
}

WebSocketDecoder::Step WebSocketDecoder::read_payload(std::string_view& bytes) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
    std::string& into = is_control() ? control_ : message_;
    const size_t before = into.size();
    into.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    left_ -= count;
    const uint8_t* mask = header_.data() + header_size() - 4;
    for (size_t i = before; i < into.size(); ++i)
        into[i] = static_cast<char>(static_cast<uint8_t>(into[i]) ^ mask[mask_at_++ & 3]);
    mask_at_ &= 3;
    if (!is_control() && !text_.add(std::string_view(into).substr(before)))
        return fail(close_code::invalid_text);
    return left_ == 0 ? end_frame() : Step::need_more;
}

WebSocketDecoder::Step WebSocketDecoder::end_frame() {
    in_payload_ = false;
    header_bytes_ = 0;
    const uint8_t opcode = header_[0] & opcode_bits;
    if (is_control()) {
        done_control_ = true;
        if (opcode == close) return end_close();
        return opcode == ping ? Step::ping : Step::pong;
    }
    in_message_ = (header_[0] & final_bit) == 0;
    if (in_message_) return Step::need_more;
    if (!text_.at_boundary()) return fail(close_code::invalid_text);
    text_.reset();
    message_done_ = true;
    return Step::message;
}

WebSocketDecoder::Step WebSocketDecoder::end_close() {
    uint16_t code = close_code::none_sent;
    if (control_.size() == 1) return fail(close_code::protocol_error);
    if (control_.size() >= 2) {
        code = static_cast<uint16_t>(static_cast<uint8_t>(control_[0]) << 8 |
                                     static_cast<uint8_t>(control_[1]));
        if (!is_close_code(code)) return fail(close_code::protocol_error);
        control_.erase(0, 2);
        if (!is_utf8(control_)) return fail(close_code::invalid_text);
    }
    ended_ = true;
    code_ = code;
    return Step::close;
}

bool is_close_code(uint16_t code) {
    if (code >= 3000) return code <= 4999;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

std::string frame_header(FrameKind kind, size_t payload_bytes) {
    std::string header(1, static_cast<char>(final_bit | static_cast<uint8_t>(kind)));
    const size_t extended = payload_bytes <= 125 ? 0 : payload_bytes <= 0xFFFF ? 2 : 8;
    header += static_cast<char>(extended == 0 ? payload_bytes : extended == 2 ? 126 : 127);
    for (size_t i = extended; i > 0; --i)
        header += static_cast<char>(payload_bytes >> (8 * (i - 1)) & 0xFF);
    return header;
}

std::string close_frame(uint16_t code, std::string_view reason) {
    size_t size = std::min(reason.size(), max_control_bytes - 2);
    while (size < reason.size() && size > 0 && (static_cast<uint8_t>(reason[size]) & 0xC0) == 0x80)
        --size;
    std::string frame = frame_header(FrameKind::close, size + 2);
    frame += static_cast<char>(code >> 8);
    frame += static_cast<char>(code & 0xFF);
    return frame.append(reason.substr(0, size));
}

std::string websocket_accept(std::string_view key) {
    const std::string text = std::string(key).append(accept_guid);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr) != 1)
        throw std::runtime_error("SHA-1 is not available");
    return to_base64({reinterpret_cast<const char*>(digest), size});
}

}  // namespace patchbay
