// The field codec. A message is a row of records: varint key (field << 3 | kind), then the value.
// Kind 0 is a varint (zigzag for signed types), 1 eight bytes little-endian, 2 a length and bytes.
// Field numbers are for ever: add, never renumber or reuse.
//
// A struct says what it has with PATCHBAY_FIELDS: `PATCHBAY_FIELDS { v(1, name)(2, value); }`.
// `v.bytes(4, body)` is for raw bytes: all other strings are text, which the host accepts only as
// UTF-8 without NUL.
#pragma once
#include <bit>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "../errors.hpp"
#include "../text.hpp"

#define PATCHBAY_FIELDS \
    template <class V_> \
    void fields(V_& v)

namespace patchbay::wire {

/// What came is not a message of this shape.
struct Malformed : Error {
    explicit Malformed(const std::string& why)
        : Error(ErrorKind::internal, "malformed message: " + why) {}
};

/// A raw argument or answer, where a plain std::string would be text.
struct Bytes {
    std::string data{};
};

/// Whether texts are looked at: the host checks what plugins say, a plugin trusts its host.
enum class Text { trusted, checked };

enum Kind : uint8_t { varint = 0, eight_bytes = 1, length = 2 };

/// One list or map may not make memory out of nothing: an empty message of two bytes becomes a
/// struct of hundreds.
inline constexpr size_t max_list_items = 65'536;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_map = false;
template <class T>
inline constexpr bool is_map<std::map<std::string, T>> = true;

class Writer {
public:
    template <class T>
    Writer& operator()(uint32_t field, const T& value) {
        put(field, value);
        return *this;
    }
    Writer& bytes(uint32_t field, std::string_view value) {
        put_text(field, value);
        return *this;
    }
    const std::string& data() const { return out_; }
    std::string take() { return std::move(out_); }

private:
    template <class T>
    void put(uint32_t field, const T& value);
    template <class T>
    void put_number(uint32_t field, T value);
    template <class Body>
    void put_nested(uint32_t field, Body body);
    void put_key(uint32_t field, Kind kind) { put_varint(uint64_t{field} << 3 | kind); }
    void put_varint(uint64_t value) {
        for (; value >= 0x80; value >>= 7) out_ += static_cast<char>(value | 0x80);
        out_ += static_cast<char>(value);
    }
    void put_text(uint32_t field, std::string_view value) {
        put_key(field, length);
        put_varint(value.size());
        out_ += value;
    }
    void put_double(uint32_t field, double value) {
        put_key(field, eight_bytes);
        const auto bits = std::bit_cast<uint64_t>(value);
        for (unsigned shift = 0; shift < 64; shift += 8)
            out_ += static_cast<char>(bits >> shift & 255);
    }

    std::string out_;
};

template <class T>
void Writer::put(uint32_t field, const T& value) {
    if constexpr (is_optional<T>) {
        if (value) put(field, *value);
    } else if constexpr (is_vector<T>) {
        for (const auto& item : value) put(field, item);
    } else if constexpr (is_map<T>) {
        for (const auto& entry : value)
            put_nested(field, [&] { (*this)(1, entry.first)(2, entry.second); });
    } else if constexpr (std::is_same_v<T, Bytes>) {
        put_text(field, value.data);
    } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
        put_text(field, value);
    } else if constexpr (std::is_same_v<T, double>) {
        put_double(field, value);
    } else if constexpr (std::is_same_v<T, milliseconds>) {
        put_number(field, static_cast<int64_t>(value.count()));
    } else if constexpr (std::is_enum_v<T>) {
        put_number(field, static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::is_integral_v<T>) {
        put_number(field, value);
    } else {
        // fields() is written once for reading and writing, so it cannot be const.
        put_nested(field, [&] { const_cast<T&>(value).fields(*this); });
    }
}

template <class T>
void Writer::put_number(uint32_t field, T value) {
    put_key(field, varint);
    if constexpr (std::is_signed_v<T>) {
        const auto wide = static_cast<int64_t>(value);
        put_varint(static_cast<uint64_t>(wide) << 1 ^ static_cast<uint64_t>(wide >> 63));
    } else {
        put_varint(value);
    }
}

template <class Body>
void Writer::put_nested(uint32_t field, Body body) {
    put_key(field, length);
    const size_t begin = out_.size();
    body();
    std::string text = out_.substr(begin);
    out_.resize(begin);
    put_varint(text.size());
    out_ += text;
}

struct Record {
    uint32_t field = 0;
    Kind kind = varint;
    uint64_t number = 0;         ///< kinds 0 and 1
    std::string_view content{};  ///< kind 2
};

/// Walks over the records of one message. Throws Malformed.
class Cursor {
public:
    explicit Cursor(std::string_view message) : rest_(message) {}
    bool next(Record& record);

private:
    uint64_t take_varint();
    std::string_view take(uint64_t size) {
        if (size > rest_.size()) throw Malformed("it ends inside a field");
        const std::string_view taken = rest_.substr(0, static_cast<size_t>(size));
        rest_.remove_prefix(taken.size());
        return taken;
    }
    std::string_view rest_;
};

inline uint64_t Cursor::take_varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const auto byte = static_cast<uint8_t>(take(1)[0]);
        if (shift == 63 && byte > 1) break;
        value |= uint64_t{byte & 0x7Fu} << shift;
        if (byte < 0x80) return value;
    }
    throw Malformed("a number is longer than 64 bits");
}

inline bool Cursor::next(Record& record) {
    if (rest_.empty()) return false;
    const uint64_t key = take_varint();
    if (key >> 3 == 0 || key >> 3 > (1u << 29) - 1) throw Malformed("no such field number");
    record = {static_cast<uint32_t>(key >> 3), static_cast<Kind>(key & 7), 0, {}};
    switch (record.kind) {
        case varint:
            record.number = take_varint();
            return true;
        case eight_bytes: {
            const std::string_view bytes = take(8);
            for (unsigned i = 0; i < 8; ++i)
                record.number |= uint64_t{static_cast<uint8_t>(bytes[i])} << 8 * i;
            return true;
        }
        case length:
            record.content = take(take_varint());
            return true;
    }
    throw Malformed("no such kind of value");
}

/// Fills the one member that has the record's number. Unknown numbers match nothing, which skips
/// them.
class Matcher {
public:
    Matcher(const Record& record, Text text) : record_(record), text_(text) {}

    template <class T>
    Matcher& operator()(uint32_t field, T& into) {
        if (field == record_.field) take(into);
        return *this;
    }
    Matcher& bytes(uint32_t field, std::string& into) {
        if (field == record_.field) into = content();
        return *this;
    }

private:
    template <class T>
    void take(T& into);
    template <class T>
    void take_number(T& into);
    std::string_view content() const { return require(length), record_.content; }
    void require(Kind kind) const {
        if (record_.kind != kind)
            throw Malformed("field " + std::to_string(record_.field) + " has another type");
    }
    std::string_view checked_text() const {
        const std::string_view text = content();
        if (text_ == Text::checked && (text.find('\0') != std::string_view::npos || !is_utf8(text)))
            throw Malformed("field " + std::to_string(record_.field) + " is not UTF-8 text");
        return text;
    }
    void check_room(size_t items) const {
        if (items >= max_list_items)
            throw Malformed("field " + std::to_string(record_.field) + " has too many items");
    }

    const Record& record_;
    Text text_;
};

/// Fills what the message has; the rest keeps its value. Throws Malformed.
template <class T>
void read(std::string_view message, T& into, Text text = Text::trusted) {
    Cursor cursor(message);
    for (Record record; cursor.next(record);) {
        Matcher matcher(record, text);
        into.fields(matcher);
    }
}

template <class T>
void Matcher::take(T& into) {
    if constexpr (is_optional<T>) {
        take(into.emplace());
    } else if constexpr (is_vector<T>) {
        check_room(into.size());
        take(into.emplace_back());
    } else if constexpr (is_map<T>) {
        check_room(into.size());
        struct Entry {
            std::string key{};
            typename T::mapped_type value{};
        } entry;
        Cursor cursor(content());
        for (Record part; cursor.next(part);) Matcher(part, text_)(1, entry.key)(2, entry.value);
        into[std::move(entry.key)] = std::move(entry.value);
    } else if constexpr (std::is_same_v<T, Bytes>) {
        into.data = content();
    } else if constexpr (std::is_same_v<T, std::string>) {
        into = checked_text();
    } else if constexpr (std::is_same_v<T, double>) {
        require(eight_bytes);
        into = std::bit_cast<double>(record_.number);
    } else if constexpr (std::is_same_v<T, milliseconds>) {
        int64_t count = 0;
        take_number(count);
        into = milliseconds{count};
    } else if constexpr (std::is_enum_v<T>) {
        std::underlying_type_t<T> number{};
        take_number(number);
        into = static_cast<T>(number);
    } else if constexpr (std::is_integral_v<T>) {
        take_number(into);
    } else {
        into = T{};
        read(content(), into, text_);
    }
}

template <class T>
void Matcher::take_number(T& into) {
    require(varint);
    if constexpr (std::is_same_v<T, bool>) {
        if (record_.number > 1) throw Malformed("a yes or no is neither");
        into = record_.number == 1;
    } else if constexpr (std::is_signed_v<T>) {
        const auto wide = static_cast<int64_t>(record_.number >> 1 ^ (0 - (record_.number & 1)));
        if (wide < std::numeric_limits<T>::min() || wide > std::numeric_limits<T>::max())
            throw Malformed("field " + std::to_string(record_.field) + " is out of range");
        into = static_cast<T>(wide);
    } else {
        if (record_.number > std::numeric_limits<T>::max())
            throw Malformed("field " + std::to_string(record_.field) + " is out of range");
        into = static_cast<T>(record_.number);
    }
}

/// One struct as a message.
template <class T>
std::string write(const T& value) {
    Writer writer;
    const_cast<T&>(value).fields(writer);
    return writer.take();
}

/// Arguments or an answer: the values are fields 1, 2, ... of a message without a name.
template <class... T>
std::string pack(const T&... values) {
    Writer writer;
    uint32_t field = 0;
    (writer(++field, values), ...);
    return writer.take();
}

/// The other direction. Missing ones keep their value. Throws Malformed.
template <class... T>
void unpack(std::string_view message, Text text, T&... into) {
    Cursor cursor(message);
    for (Record record; cursor.next(record);) {
        Matcher matcher(record, text);
        uint32_t field = 0;
        (matcher(++field, into), ...);
    }
}

}  // namespace patchbay::wire
