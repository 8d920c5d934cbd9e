// WebSockets that plugins serve themselves (sockets/1): the hub opens, signs in, limits and closes
// them; the plugin hears one message after the other and pushes to topics.
#pragma once
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/ids.hpp"
#include "http/fair_pool.hpp"
#include "http/router.hpp"
#include "identity/identity.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

/// Calls into plugins run on threads of its own, those of one socket one at a time and in order. A
/// socket that does not read, or says more than its plugin takes in, is closed; nobody else notices
/// (G20, S67, S68). [any thread]
class PluginSockets {
public:
    struct Parts {
        PluginHost& plugins;
        Router& router;
        Identity& identity;
        Ids& ids;
    };
    explicit PluginSockets(Parts parts);
    ~PluginSockets();  ///< stop()

    /// Publishes the socket routes of one instance, replacing what it had. The answer tells those
    /// that another one has already.
    std::vector<TakenRoute> publish(const std::string& instance);
    void withdraw(const std::string& instance);
    /// Sockets of other generations are closed with 1001 and `retry_in=<s>`: they come back to this
    /// one. 0: none serves. Short: it may be called under a lock of the plugins' host.
    void switched(const std::string& instance, int64_t generation);
    /// Hangs up on a user's sockets that were opened with this credential; empty: on all.
    void end_user(const std::string& user, const std::string& credential, uint16_t code,
                  const std::string& reason);
    /// No plugin is called any more. Idempotent.
    void stop();

    // sockets/1
    void push(const std::string& instance, const std::string& topic, const std::string& text);
    /// A socket that has gone is no mistake: it may just have closed.
    void push_to(const std::string& instance, const std::string& socket, std::string text);
    void close(const std::string& instance, const std::string& socket, int code,
               const std::string& reason);
    uint32_t listeners(const std::string& instance, const std::string& topic) const;

private:
    struct Line;
    struct Work;
    class Ear;
    using LinePtr = std::shared_ptr<Line>;
    /// What was pushed while calls are under way, for sockets that join meanwhile.
    struct Recent {
        struct Push {
            std::string topic;
            SharedText text;
        };
        size_t calls = 0;
        uint64_t first = 0;  ///< Number of the oldest that is kept.
        std::deque<Push> pushes;
        uint64_t next() const { return first + pushes.size(); }
    };
    struct Instance {
        int64_t generation = 0;  ///< That serves now.
        std::map<std::string, std::set<LinePtr>> topics;
        Recent recent;
    };

    RouteEntry entry_for(const std::string& instance, const SocketRoute& route);
    Caller who_asks(const HttpRequest& request, const SocketRoute& route);
    void open(const ExchangePtr& exchange, const std::string& instance, const SocketRoute& route);

    void add_work(const LinePtr& line, Work work);
    void work_off(const LinePtr& line);
    void do_work(const LinePtr& line, const Work& work);
    std::optional<SocketReply> ask(const LinePtr& line, const Work& work);
    void obey(const LinePtr& line, SocketReply reply, uint64_t call_began);
    void join(Instance& own, const LinePtr& line, const std::string& topic);
    void leave(Instance& own, const LinePtr& line, const std::string& topic);
    void forget(const LinePtr& line);
    static void hang_up(Line& line, uint16_t code, const std::string& reason);
    LinePtr find(const std::string& instance, const std::string& socket) const;
    void watch_clock();

    const Parts parts_;
    mutable std::mutex mutex_;
    std::unordered_map<std::string, LinePtr> lines_;
    std::map<std::string, Instance> instances_;
    std::set<std::pair<TimeMs, std::string>> deadlines_;  ///< When whose credential ends.
    std::condition_variable changed_;
    bool stopping_ = false;
    FairPool pool_;
    std::thread clock_;  ///< Last: it uses everything above.
};

/// Whether a plugin may close with this code and reason.
bool may_close(int code, const std::string& reason);

/// sockets/1 for plugins.
void register_socket_service(HostServices& services, PluginSockets& sockets);

}  // namespace patchbay
