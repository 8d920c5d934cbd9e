// Strict HTTP/1.1 request framing (S01 to S19): pushed bytes become requests or one refusal. What
// it answers does not depend on how the bytes were cut into packets.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace patchbay {

struct FramingLimits {
    size_t target = 8192, line = 8192;     ///< Bytes, line ends not counted.
    size_t fields = 64, block = 32 << 10;  ///< Header lines; their bytes with line ends.
    size_t chunk_extension = 256, trailer = 4096;
};

/// Why a request is not answered by a handler. All texts are fixed words, never input.
struct Refusal {
    int status = 0;
    const char* reason = "";  ///< Label of patchbay_http_rejected_total.
    const char* code = "";    ///< Of the problem (problem.hpp).
    const char* detail = "";
};

/// One connection's requests, one after the other. [one thread]
class RequestParser {
public:
    /// `head`: request() has all but the body; limit_body() may be called now.
    /// `complete`: request() is whole; call reset() before the next one.
    /// `refused`: for good, the connection has to be closed.
    enum class Step { need_more, head, complete, refused };

    explicit RequestParser(const FramingLimits& limits = {}) : limits_(limits) {}

    /// Consumes bytes up to the next step; after need_more none are left. Bytes behind a complete
    /// request stay: they begin the next one.
    Step next(std::string_view& bytes);

    HttpRequest& request() { return request_; }
    const Refusal& refusal() const { return refusal_; }

    /// Largest body of this request; 1 MiB unless told. A longer one is refused with 413, at the
    /// head when its length is declared.
    void limit_body(size_t bytes) { body_limit_ = bytes; }

    bool started() const { return started_; }  ///< At least one byte of this request has come.
    bool in_body() const { return state_ > State::head_done; }
    bool keep_alive() const { return keep_alive_; }
    bool expects_continue() const { return expects_continue_; }
    std::optional<uint64_t> declared_length() const { return content_length_; }

    void reset();

private:
    enum class State {
        request_line,
        fields,
        head_done,
        fixed,
        chunk_size,
        chunk_data,
        chunk_end,
        trailer,
        done,
        refused
    };
    enum class Line { found, missing, too_long };

    Step advance(std::string_view& bytes);
    Line take_line(std::string_view& bytes, size_t limit, std::string_view& line);
    Step refuse(const Refusal& refusal);
    Step take_request_line(std::string_view& bytes);
    Step take_field(std::string_view& bytes);
    const Refusal* parse_request_line(std::string_view line);
    const Refusal* parse_field(std::string_view line);
    const Refusal* note_field(const HttpHeader& field);
    const Refusal* finish_head();
    Step begin_body();
    Step take_fixed(std::string_view& bytes);
    Step take_chunk_size(std::string_view& bytes);
    Step take_chunk_data(std::string_view& bytes);
    Step take_chunk_end(std::string_view& bytes);
    Step take_trailer(std::string_view& bytes);

    FramingLimits limits_;
    State state_ = State::request_line;
    HttpRequest request_;
    Refusal refusal_;
    std::string partial_, joined_;  // A line that came in pieces: so far, and whole.
    size_t block_ = 0, trailer_ = 0, body_limit_ = 1 << 20;
    uint64_t left_ = 0;  // Of the body or chunk.
    std::optional<uint64_t> content_length_;
    unsigned hosts_ = 0, lengths_ = 0, encodings_ = 0, expects_ = 0;
    bool started_ = false, http_1_0_ = false, chunked_ = false, expects_continue_ = false;
    bool close_asked_ = false, keep_asked_ = false, keep_alive_ = false;
    bool cr_seen_ = false;  // Of the line end behind a chunk.
};

/// The path of an origin-form target, decoded once. nullopt for what S19 refuses: a bad or zero
/// escape, dot segments, empty segments, backslash, control bytes, text that is not UTF-8.
std::optional<std::string> decode_path(std::string_view raw);

}  // namespace patchbay
