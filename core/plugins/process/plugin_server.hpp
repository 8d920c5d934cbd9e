// The other end: a plugin's own process, which carries what the hub asks to the library.
#pragma once
#include <patchbay/abi.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "plugins/process/frame.hpp"
#include "plugins/shared_object.hpp"

namespace patchbay {

/// Serves one library with one instance over a socket. Each thread reads in turn; who has read a
/// call hands the reading to the next one and makes the call itself. Never ends by itself: the
/// process does, with the hub or after destroy.
class PluginServer {
public:
    /// The threads wait until serve(). The hub never asks for more at once than there are threads
    /// but one, which reads.
    PluginServer(int socket, unsigned threads);

    /// Opens the library and tells the hub that it did, or why not, which ends the process.
    /// The marks are told along.
    void load(const std::string& path, const std::string& name, MemoryMarks marks);

    [[noreturn]] void serve();

private:
    struct Waiting {
        std::condition_variable answered;
        bool is_answered = false;
        Frame frame;
    };

    static int32_t host_call(void* self, uint32_t method, pb_bytes in, pb_sink out);
    [[noreturn]] void read_and_work();
    void give(Frame frame);
    void work(const Frame& frame);
    int32_t perform(const Frame& frame, pb_sink out);
    int32_t create(const std::string& config, pb_sink out);
    pb_instance instance();
    Frame ask_host(uint32_t method, pb_bytes in);
    void send(const FrameHeader& header, std::string_view payload);

    const int socket_;
    std::mutex reading_;  // Held by the thread that reads.
    FrameReader reader_;
    std::mutex writing_;
    std::unique_lock<std::mutex> held_back_;
    std::vector<std::thread> threads_;
    std::unique_ptr<SharedObject> library_;
    pb_host host_;

    std::mutex mutex_;
    pb_instance plugin_{};
    std::map<uint64_t, Waiting*> waiting_;
    std::atomic<uint64_t> last_id_{0};
};

}  // namespace patchbay
