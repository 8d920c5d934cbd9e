// What the hub and a plugin's own process say to each other, over a pair of sockets.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <patchbay/detail/sink.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

namespace patchbay {

/// Where a plugin's process finds its end of the pair.
inline constexpr int plugin_socket = 3;

enum class FrameKind : uint16_t {
    answer = 1,  ///< Of the plugin's process: to what has the same id; id 0: it has loaded.
    host_call,   ///< Of the plugin's process.
    host_answer,
    call,
    describe,
    check_config,
    create,
    destroy
};

/// In front of every payload. Both ends are one machine and one release: as it lies in memory.
struct FrameHeader {
    uint32_t length = 0;  ///< Of the payload: max_answer_bytes at most.
    FrameKind kind = FrameKind::answer;
    uint16_t flags = 0;
    uint64_t id = 0;      ///< Chosen by who asks, the answer has the same.
    uint64_t within = 0;  ///< Of a host call: the call in which it is made; 0: none.
    uint32_t method = 0;
    int32_t status = 0;  ///< Of an answer: 0, or an ErrorKind with an encoded error behind it.
};
static_assert(sizeof(FrameHeader) == 32);

/// FrameHeader::flags of an answer: memory ran out in the process since the last one.
inline constexpr uint16_t memory_ran_out = 1;

/// Of a process, in bytes of data (/proc/<pid>/statm). 0: no limit.
struct MemoryMarks {
    uint64_t recycle_at = 0;  ///< It is to be replaced.
    uint64_t full_at = 0;     ///< No further call is to begin in it.
};

struct Frame {
    FrameHeader header;
    std::string payload;
};

/// What came is no frame: nothing behind it can be read.
struct BadFrame : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Takes frames out of a stream of bytes. One thread at a time.
class FrameReader {
public:
    /// At a time.
    static constexpr size_t read_bytes = 64u << 10;

    explicit FrameReader(int socket) : socket_(socket) {}

    /// Reads what has come; waits for it unless `flags` (of recv) say MSG_DONTWAIT. 0: closed by
    /// the other side, -1: errno.
    long fill(int flags);
    /// The next frame that has come whole. Throws BadFrame, before it takes memory for one.
    std::optional<Frame> take();

private:
    int socket_;
    std::string buffer_;
    size_t taken_ = 0;  // Of buffer_, already given out.
};

/// Sets `header.length`. False: the other side is gone, or took nothing until then; half a frame
/// may have left, and the stream is of no use any more. One thread at a time.
bool send_frame(int socket, FrameHeader header, std::string_view payload,
                std::chrono::steady_clock::time_point until);

}  // namespace patchbay
