#include "config/source_text.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace patchbay {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F;
}

std::string hex_of(char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(c);
    return {digits[byte >> 4], digits[byte & 15]};
}

}  // namespace

SourceText::SourceText(std::string_view text) : text_(text), starts_{0} {
    if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
    end_ = text_.find_last_not_of(" \t\r\n") + 1;
    for (size_t i = 0; i < text_.size(); ++i) {
        if (text_[i] == '\n') starts_.push_back(i + 1);
    }
}

std::string_view SourceText::line(int number) const {
    if (number < 1 || number > line_count()) return {};
    const size_t from = starts_[static_cast<size_t>(number) - 1];
    std::string_view line = text_.substr(from, text_.find('\n', from) - from);
    while (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

Position SourceText::position(size_t offset) const {
    offset = std::min(offset, end_);
    const int line = line_of(offset);
    const size_t start = starts_[static_cast<size_t>(line) - 1];
    if (seen_start_ != start || offset < seen_offset_) {
        seen_start_ = seen_offset_ = start;
        seen_chars_ = 0;
    }
    seen_chars_ += char_count(text_.substr(seen_offset_, offset - seen_offset_));
    seen_offset_ = offset;
    return {line, static_cast<int>(seen_chars_) + 1};
}

int SourceText::line_of(size_t offset) const {
    const auto next = std::upper_bound(starts_.begin(), starts_.end(), offset);
    return static_cast<int>(next - starts_.begin());
}

Position SourceText::first_in_line(int number) const {
    return {number, static_cast<int>(indentation_of(line(number))) + 1};
}

size_t indentation_of(std::string_view line) {
    return std::min(line.find_first_not_of(" \t"), line.size());
}

bool find_bad_byte(std::string_view text, Position& at, std::string& message) {
    at = {1, 1};
    while (!text.empty()) {
        const size_t size = utf8_char_size(text);
        if (size == 0 || is_control(text[0])) {
            message = size == 0 && !is_control(text[0])
                          ? "is not UTF-8 text"
                          : "has the control character 0x" + hex_of(text[0]);
            return true;
        }
        at = text[0] == '\n' ? Position{at.line + 1, 1} : Position{at.line, at.column + 1};
        text.remove_prefix(size);
    }
    return false;
}

}  // namespace patchbay
