#include <gtest/gtest.h>

#include <patchbay/sdk.hpp>
#include <random>

namespace patchbay {
namespace {

// Fills every kind of member with random values; the same members that are written are read back.
class Randomizer {
public:
    explicit Randomizer(uint32_t seed) : random_(seed) {}

    template <class T>
    Randomizer& operator()(uint32_t, T& value) {
        fill(value);
        return *this;
    }
    Randomizer& bytes(uint32_t, std::string& value) {
        value.clear();
        for (size_t n = random_() % 40; n > 0; --n) value += static_cast<char>(random_());
        return *this;
    }

private:
    template <class T>
    void fill(T& value) {
        if constexpr (wire::is_optional<T>) {
            if (random_() % 2) fill(value.emplace());
        } else if constexpr (wire::is_vector<T>) {
            value.resize(random_() % 4);
            for (auto& item : value) fill(item);
        } else if constexpr (wire::is_map<T>) {
            for (size_t n = random_() % 4; n > 0; --n) {
                std::string key;
                fill(key);
                fill(value[key]);
            }
        } else if constexpr (std::is_same_v<T, std::string>) {
            for (size_t n = random_() % 12; n > 0; --n) value += random_() % 3 ? "x" : "\xC3\xA9";
        } else if constexpr (std::is_same_v<T, wire::Bytes>) {
            bytes(0, value.data);
        } else if constexpr (std::is_same_v<T, milliseconds>) {
            value = milliseconds{static_cast<int32_t>(random_())};
        } else if constexpr (std::is_same_v<T, bool>) {
            value = random_() % 2;
        } else if constexpr (std::is_same_v<T, double>) {
            value = static_cast<double>(random_()) / 7 - 1e8;
        } else if constexpr (std::is_enum_v<T> || std::is_integral_v<T>) {
            value = static_cast<T>(uint64_t{random_()} << (random_() % 33));
        } else {
            value.fields(*this);
        }
    }
    std::mt19937 random_;
};

template <class T>
void comes_back_unchanged(const char* name) {
    SCOPED_TRACE(name);
    for (uint32_t seed = 1; seed <= 200; ++seed) {
        Randomizer randomizer(seed);
        T value;
        value.fields(randomizer);
        const std::string message = wire::write(value);
        T copy;
        wire::read(message, copy, wire::Text::checked);
        ASSERT_EQ(wire::write(copy), message) << "seed " << seed;
    }
}

TEST(Codec, BringsBackEveryValueOfEveryMessage) {
    comes_back_unchanged<Event>("Event");
    comes_back_unchanged<OutboundMessage>("OutboundMessage");
    comes_back_unchanged<SendResult>("SendResult");
    comes_back_unchanged<Request>("Request");
    comes_back_unchanged<Response>("Response");
    comes_back_unchanged<Capabilities>("Capabilities");
    comes_back_unchanged<Route>("Route");
    comes_back_unchanged<ApiRoute>("ApiRoute");
    comes_back_unchanged<StepInput>("StepInput");
    comes_back_unchanged<StepResult>("StepResult");
    comes_back_unchanged<Health>("Health");
    comes_back_unchanged<Stored>("Stored");
    comes_back_unchanged<messaging::ConversationChange>("ConversationChange");
    comes_back_unchanged<messaging::NewMessage>("NewMessage");
    comes_back_unchanged<tables::TableStep>("TableStep");
    comes_back_unchanged<tables::Rows>("Rows");
    comes_back_unchanged<SocketReply>("SocketReply");
    comes_back_unchanged<detail::Schema>("Schema");
    comes_back_unchanged<detail::ErrorRecord>("ErrorRecord");
}

TEST(Codec, KeepsTheEndsOfEachNumberRange) {
    struct Numbers {
        int64_t low = std::numeric_limits<int64_t>::min(),
                high = std::numeric_limits<int64_t>::max();
        uint64_t top = std::numeric_limits<uint64_t>::max();
        int32_t small = std::numeric_limits<int32_t>::min();
    } in, out{0, 0, 0, 0};
    const std::string message = wire::pack(in.low, in.high, in.top, in.small);
    wire::unpack(message, wire::Text::checked, out.low, out.high, out.top, out.small);
    EXPECT_EQ(out.low, in.low);
    EXPECT_EQ(out.high, in.high);
    EXPECT_EQ(out.top, in.top);
    EXPECT_EQ(out.small, in.small);
}

TEST(Codec, MatchesTheLayoutOfProtocolBuffers) {
    // 1: 150 as varint; 2: "testing"; 3: zigzag -2.
    const std::string message = wire::pack(uint32_t{150}, std::string("testing"), int32_t{-2});
    EXPECT_EQ(to_hex(message), "0896011207" + to_hex("testing") + "1803");
}

TEST(Codec, SkipsUnknownFields) {  // C5
    wire::Writer newer;
    newer(1, std::string("phone"))(77, std::string("added later"))(78, uint64_t{5})(79, 2.5)(
        2, std::string("+15005550006"));
    Address address;
    wire::read(newer.data(), address, wire::Text::checked);
    EXPECT_EQ(address, Address::phone("+15005550006"));
}

TEST(Codec, KeepsTheReadersDefaultOfMissingFields) {  // C5
    Capabilities capabilities{.max_text_chars = 160};
    wire::read("", capabilities, wire::Text::checked);
    EXPECT_TRUE(capabilities.text);
    EXPECT_EQ(capabilities.max_text_chars, 160u);
    EXPECT_EQ(capabilities.evidence_wait, milliseconds{15'000});
}

TEST(Codec, WritesZerosSoThatTheyDoNotBecomeDefaults) {  // C6
    Capabilities all_off{.text = false, .max_text_chars = 0, .max_concurrency = 0};
    Capabilities read_back;
    wire::read(wire::write(all_off), read_back, wire::Text::checked);
    EXPECT_FALSE(read_back.text);
    EXPECT_EQ(read_back.max_text_chars, 0u);
    EXPECT_EQ(read_back.max_concurrency, 0u);
}

struct BadMessage {
    const char* why;
    const char* hex;
};
const BadMessage bad_messages[] = {
    {"ends after a key", "0a"},
    {"ends inside a text", "0a05616263"},
    {"ends inside a number", "4880"},
    {"a number of eleven bytes", "48ffffffffffffffffffff01"},
    {"a number over 64 bits", "48ffffffffffffffffff02"},
    {"a length beyond the end", "0affffffff0f61"},
    {"field number 0", "0201"},
    {"an unknown kind", "0d00000000"},
    {"ends inside eight bytes", "0900000000"},
    {"a text where a number belongs", "4a0161"},
    {"a number where a text belongs", "0801"},
    {"a status beyond one byte", "488002"},
    {"half a nested message", "320a0a05"},
};

TEST(Codec, RefusesWhatIsNotAMessage) {
    for (const auto& [why, hex] : bad_messages) {
        SCOPED_TRACE(why);
        Event event;
        EXPECT_THROW(wire::read(*from_hex(hex), event), wire::Malformed);
    }
}

TEST(Codec, RefusesTextsThatAreNotUtf8OrHaveNulWhenAsked) {  // C10, F43
    for (const std::string& bad :
         {std::string("\xC0\x80"), std::string("a\0b", 3), std::string("\xED\xA0\x80")}) {
        const std::string message = wire::write(Event{.text = bad});
        Event event;
        EXPECT_THROW(wire::read(message, event, wire::Text::checked), wire::Malformed);
        EXPECT_NO_THROW(wire::read(message, event, wire::Text::trusted));
    }
    Response response;
    wire::read(wire::write(Response{.body = std::string("\xFF\0", 2)}), response,
               wire::Text::checked);
    EXPECT_EQ(response.body.size(), 2u) << "bodies are bytes, not text";
}

TEST(Codec, RefusesListsThatMakeMemoryOutOfNothing) {  // F43
    wire::Writer empty_items;
    std::string message;
    for (size_t i = 0; i <= wire::max_list_items; ++i) message += std::string("\x0a\0", 2);
    std::vector<Event> events;
    EXPECT_THROW(wire::unpack(message, wire::Text::checked, events), wire::Malformed);
}

TEST(Methods, HaveNumbersThatRise) {
    uint32_t last = 0;
    for (const method::Entry& entry : method::all) {
        EXPECT_GT(entry.number, last) << entry.name;
        last = entry.number;
    }
    EXPECT_EQ(method::find(method::send)->name, std::string("send"));
    EXPECT_EQ(method::find(4711), nullptr);
}

}  // namespace
}  // namespace patchbay
