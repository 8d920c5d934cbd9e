#include "realtime/realtime.hpp"

#include <pthread.h>

#include <deque>

#include "base/log.hpp"
#include "http/problem.hpp"
#include "messaging/views.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using Task = std::function<void()>;
using LineId = Switchboard::LineId;
using Heard = std::variant<Command, CommandRefused>;

constexpr auto clock_interval = 250ms;  // How late a deadline may ring.
constexpr size_t changes_at_once = 100;
constexpr int max_waiting_commands = 64;  // Of one socket.

Audience audience_of(const ConversationView& view) {
    return {.department = view.department, .assignee = view.assignee, .kind = view.kind};
}

std::optional<SeenConversation> find_seen(Store& store, const Viewer& viewer,
                                          const std::string& id) {
    const auto view = store.read([&](Session& session) { return find_conversation(session, id); });
    if (!view || !viewer.sight.covers(view->department, view->kind, view->assignee))
        return std::nullopt;
    return SeenConversation{view->id, view->number, audience_of(*view)};
}

// Several changes of one object in a batch are told once: each would be read as it is now.
Changes without_repeats(const Changes& changes) {
    Changes out;
    std::set<std::pair<std::string_view, std::string_view>> known;
    for (const Change& change : changes)
        if (known.emplace(change.what, change.id).second) out.push_back(change);
    return out;
}

}  // namespace

struct Realtime::Impl {
    explicit Impl(Parts wanted)
        : parts(std::move(wanted)),
          board(
              parts.store.clock(), parts.version,
              [this](const Viewer& viewer, const std::string& id) {
                  return find_seen(parts.store, viewer, id);
              },
              parts.limits) {}

    void post(Task task) {
        const std::lock_guard lock(mutex);
        if (stopping) return;
        tasks.push_back(std::move(task));
        woken.notify_one();
    }

    void run();
    bool wait();
    void do_tasks();
    void tell_changes();
    std::optional<Changes> take_changes();

    void open(LineId id, WebSocketPtr socket, const std::optional<Caller>& who, TimeMs looked_up);
    void hear(LineId id, const Heard& heard);
    void sign_in(LineId id, const Command& command);

    const Parts parts;
    Switchboard board;  // The thread's own.
    std::atomic<bool> listened_to{false};
    std::atomic<size_t> sockets{0};
    std::atomic<LineId> last_id{0};

    std::mutex mutex;
    std::condition_variable woken;
    std::vector<Task> tasks;
    std::deque<Change> changes;
    bool overrun = false, stopping = false;
    std::thread thread;
};

/// The reactor's side of one socket. Everything it is told goes to the thread, in its order.
class Realtime::Ear final : public WebSocketHandler, public std::enable_shared_from_this<Ear> {
public:
    Ear(Impl& impl, std::optional<Caller> who, TimeMs looked_up)
        : impl_(impl), id_(++impl.last_id), looked_up_(looked_up), who_(std::move(who)) {}

    void on_open(const WebSocketPtr& socket) override {
        impl_.post([self = shared_from_this(), socket] {
            self->impl_.open(self->id_, socket, std::exchange(self->who_, std::nullopt),
                             self->looked_up_);
        });
    }
    void on_message(std::string text) override {
        if (++waiting_ > max_waiting_commands) return;  // Once over it, it is hung up on.
        impl_.post([self = shared_from_this(), heard = heard_in(text)] {
            const bool too_many = self->waiting_-- > max_waiting_commands;
            if (too_many)
                self->impl_.board.hang_up(self->id_, close_code::try_again_later,
                                          "too many commands are waiting");
            else
                self->impl_.hear(self->id_, heard);
        });
    }
    void on_drained() override {
        impl_.post([self = shared_from_this()] { self->impl_.board.go_on(self->id_); });
    }
    void on_close(uint16_t) override {
        impl_.post([self = shared_from_this()] { self->impl_.board.closed(self->id_); });
    }

private:
    static Heard heard_in(const std::string& text) try {
        return parse_command(text);
    } catch (const CommandRefused& refused) {
        return refused;
    }

    Impl& impl_;
    const LineId id_;
    const TimeMs looked_up_;
    std::atomic<int> waiting_{0};
    std::optional<Caller> who_;
};

// ---- the thread ----

void Realtime::Impl::run() {
    while (wait()) {
        do_tasks();
        tell_changes();
        board.look_at_clock();
        sockets = board.lines();
        listened_to = !board.is_idle();
    }
}

// False: it is time to stop.
bool Realtime::Impl::wait() {
    std::unique_lock lock(mutex);
    const auto has_work = [this] {
        return stopping || overrun || !tasks.empty() || !changes.empty();
    };
    if (listened_to)
        woken.wait_for(lock, clock_interval, has_work);
    else
        woken.wait(lock, has_work);
    return !stopping;
}

void Realtime::Impl::do_tasks() {
    std::vector<Task> now;
    {
        const std::lock_guard lock(mutex);
        now.swap(tasks);
    }
    for (const Task& task : now) task();
}

// nullopt: some were lost.
std::optional<Changes> Realtime::Impl::take_changes() {
    const std::lock_guard lock(mutex);
    if (std::exchange(overrun, false)) return std::nullopt;
    const auto last =
        changes.begin() + static_cast<ptrdiff_t>(std::min(changes.size(), changes_at_once));
    Changes batch(std::make_move_iterator(changes.begin()), std::make_move_iterator(last));
    changes.erase(changes.begin(), last);
    return batch;
}

// One batch, then the sockets' turn.
void Realtime::Impl::tell_changes() try {
    const auto batch = take_changes();
    if (!batch) throw std::runtime_error("too many changes at once");
    if (batch->empty()) return;
    auto events = parts.store.read(
        [&](Session& session) { return parts.render(session, without_repeats(*batch)); });
    for (LiveEvent& event : events) board.publish(std::move(event));
} catch (const std::exception& error) {
    log_warn("realtime", "events were lost, everybody has to come back",
             {{"reason", error.what()}});
    board.lose_all("events were lost");
}

// ---- sockets ----

void Realtime::Impl::open(LineId id, WebSocketPtr socket, const std::optional<Caller>& who,
                          TimeMs looked_up) {
    listened_to = true;  // Before `hello`: what is committed behind it is told.
    board.open(id, std::move(socket));
    if (who) board.sign_in(id, *who, looked_up);
}

void Realtime::Impl::hear(LineId id, const Heard& heard) try {
    if (!board.is_open(id)) return;
    if (const auto* refused = std::get_if<CommandRefused>(&heard)) throw CommandRefused(*refused);
    const Command& command = std::get<Command>(heard);
    if (board.has_signed_in(id))
        board.obey(id, command);
    else
        sign_in(id, command);
} catch (const CommandRefused& refused) {
    if (board.has_signed_in(id))
        board.answer(id, frames::error(refused));
    else
        board.hang_up(id, close_code::signed_out, "the first message must be auth");
} catch (const std::exception& error) {
    log_error("realtime", "a command failed", {{"reason", error.what()}});
    board.hang_up(id, close_code::internal, "internal error");
}

void Realtime::Impl::sign_in(LineId id, const Command& command) try {
    if (command.kind != Command::Kind::auth)
        throw CommandRefused{command.id, "unauthenticated", ""};
    const TimeMs now = parts.store.clock().now_ms();
    const Caller who = parts.sign_in(command.token);
    if (!may_have(who, Topic::conversations))
        return board.hang_up(id, close_code::not_allowed, "your role may not listen");
    board.sign_in(id, who, now);
} catch (const Problem& problem) {
    board.hang_up(id, close_code::signed_out, problem.what());
}

// ---- what others call ----

Realtime::Realtime(Parts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}

Realtime::~Realtime() { stop(); }

void Realtime::start() {
    impl_->thread = std::thread([this] { impl_->run(); });
    pthread_setname_np(impl_->thread.native_handle(), "realtime");
}

void Realtime::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
        impl_->woken.notify_one();
    }
    if (impl_->thread.joinable()) impl_->thread.join();
    const std::lock_guard lock(impl_->mutex);
    impl_->tasks.clear();
}

WebSocketHandlerPtr Realtime::listener(std::optional<Caller> who, TimeMs looked_up) {
    return std::make_shared<Ear>(*impl_, std::move(who), looked_up);
}

void Realtime::changed(const Changes& changes) {
    if (!impl_->listened_to || changes.empty()) return;
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping) return;
    if (impl_->changes.size() + changes.size() > impl_->parts.max_changes) {
        impl_->changes.clear();
        impl_->overrun = true;
    } else {
        impl_->changes.insert(impl_->changes.end(), changes.begin(), changes.end());
    }
    impl_->woken.notify_one();
}

void Realtime::publish(LiveEvent event) {
    impl_->post([this, event = std::move(event)] { impl_->board.publish(event); });
}

void Realtime::end_user(const std::string& user, const std::string& credential, uint16_t code,
                        const std::string& reason) {
    impl_->post([this, user, credential, code, reason] {
        impl_->board.end_user(user, credential, code, reason);
    });
}

void Realtime::typing(const std::string& conversation, const Caller& who, bool is_typing) {
    impl_->post([this, conversation, who, is_typing] {
        try {
            impl_->board.tell_typing(Viewer(who), conversation, is_typing);
        } catch (const std::exception& error) {
            log_warn("realtime", "typing was not told", {{"reason", error.what()}});
        }
    });
}

size_t Realtime::sockets() const { return impl_->sockets; }

}  // namespace patchbay
