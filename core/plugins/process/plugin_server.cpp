#include "plugins/process/plugin_server.hpp"

#include <unistd.h>

#include <atomic>
#include <new>
#include <patchbay/detail/wire.hpp>

namespace patchbay {
namespace {

// The call that this thread makes.
thread_local uint64_t current_call = 0;

std::atomic<bool> has_run_out{false};

// Called when memory cannot be had, before the plugin's code sees bad_alloc.
void note_and_throw() {
    has_run_out = true;
    throw std::bad_alloc();
}

// No destructors: the plugin's threads may be running. The hub has what it needs.
[[noreturn]] void leave(int code) { ::_exit(code); }

}  // namespace

PluginServer::PluginServer(int socket, unsigned threads)
    : socket_(socket),
      reader_(socket),
      held_back_(reading_),
      host_{sizeof(pb_host), PB_ABI_MINOR, this, &PluginServer::host_call} {
    std::set_new_handler(note_and_throw);
    for (unsigned i = 1; i < threads; ++i) threads_.emplace_back([this] { read_and_work(); });
}

void PluginServer::load(const std::string& path, const std::string& name, MemoryMarks marks) {
    detail::StringSink out;
    const int32_t status = detail::guarded(out.sink(), [&] {
        library_ = std::make_unique<SharedObject>(path, name);
        detail::deliver(out.sink(), wire::pack(marks.recycle_at, marks.full_at));
    });
    send({.status = status}, out.text());
    if (status != 0) leave(1);
}

void PluginServer::serve() {
    held_back_.unlock();
    read_and_work();
}

void PluginServer::read_and_work() {
    try {
        std::unique_lock reading(reading_);
        for (;;) {
            auto frame = reader_.take();
            if (!frame) {
                if (reader_.fill(0) <= 0) leave(0);  // The hub is gone.
                continue;
            }
            if (frame->header.kind == FrameKind::host_answer) {
                give(std::move(*frame));
                continue;
            }
            reading.unlock();
            work(*frame);
            reading.lock();
        }
    } catch (...) {  // No memory, or a hub that talks nonsense.
        leave(1);
    }
}

void PluginServer::give(Frame frame) {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(frame.header.id);
    if (found == waiting_.end()) return;
    found->second->frame = std::move(frame);
    found->second->is_answered = true;
    found->second->answered.notify_one();  // Under the lock: it is on that thread's stack.
}

void PluginServer::work(const Frame& frame) {
    // What one thread answered the next may build on: the hub orders them, of which this process's
    // memory knows nothing by itself.
    static std::atomic<uint64_t> ended{0};
    ended.load(std::memory_order_acquire);
    detail::StringSink out;
    current_call = frame.header.id;
    int32_t status = 0;
    try {
        status = perform(frame, out.sink());
    } catch (...) {  // Against the contract, which a plugin written without the SDK may break.
        status = static_cast<int32_t>(ErrorKind::internal);
        detail::deliver(out.sink(),
                        wire::write(detail::ErrorRecord{"the plugin threw through the boundary"}));
    }
    current_call = 0;
    ended.fetch_add(1, std::memory_order_release);
    FrameHeader answer{.id = frame.header.id, .method = frame.header.method, .status = status};
    if (has_run_out.exchange(false)) answer.flags |= memory_ran_out;
    if (!out.too_large()) {
        send(answer, out.text());
    } else {
        answer.status = static_cast<int32_t>(ErrorKind::internal);
        send(answer, wire::write(detail::ErrorRecord{"the plugin's answer is over 4 MiB"}));
    }
    if (frame.header.kind == FrameKind::destroy) leave(0);
}

int32_t PluginServer::perform(const Frame& frame, pb_sink out) {
    switch (frame.header.kind) {
        case FrameKind::describe:
            return library_->entry().describe(out);
        case FrameKind::check_config:
            return library_->entry().check_config(detail::borrow(frame.payload), out);
        case FrameKind::create:
            return create(frame.payload, out);
        case FrameKind::destroy:
            if (const pb_instance one = instance(); one.destroy) one.destroy(one.self);
            return 0;
        default:
            const pb_instance one = instance();
            return one.call(one.self, frame.header.method, detail::borrow(frame.payload), out);
    }
}

pb_instance PluginServer::instance() {
    const std::lock_guard lock(mutex_);
    return plugin_;
}

int32_t PluginServer::create(const std::string& config, pb_sink out) {
    pb_instance made{};
    const int32_t status = library_->entry().create(&host_, detail::borrow(config), &made, out);
    if (status != 0) return status;
    if (made.struct_size < sizeof(pb_instance) || !made.call || !made.destroy)
        return detail::guarded(
            out, [] { throw Error(ErrorKind::refused, "the plugin made no usable instance"); });
    const std::lock_guard lock(mutex_);
    plugin_ = made;
    return 0;
}

Frame PluginServer::ask_host(uint32_t method, pb_bytes in) {
    if (in.size > detail::max_answer_bytes)
        throw Error(ErrorKind::refused, "more than 4 MiB cannot be handed to the hub");
    const uint64_t id = ++last_id_;
    Waiting waiting;
    {
        const std::lock_guard lock(mutex_);
        waiting_[id] = &waiting;
    }
    send({.kind = FrameKind::host_call, .id = id, .within = current_call, .method = method},
         detail::view(in));
    std::unique_lock lock(mutex_);
    waiting.answered.wait(lock, [&] { return waiting.is_answered; });
    waiting_.erase(id);
    return std::move(waiting.frame);
}

int32_t PluginServer::host_call(void* self, uint32_t method, pb_bytes in, pb_sink out) {
    int32_t status = 0;
    const int32_t failure = detail::guarded(out, [&] {
        const Frame answer = static_cast<PluginServer*>(self)->ask_host(method, in);
        status = answer.header.status;
        detail::deliver(out, answer.payload);
    });
    return failure != 0 ? failure : status;
}

void PluginServer::send(const FrameHeader& header, std::string_view payload) {
    const std::lock_guard lock(writing_);
    if (!send_frame(socket_, header, payload, std::chrono::steady_clock::time_point::max()))
        leave(0);
}

}  // namespace patchbay
