// Who listens to what: lines (sockets), the people behind them, their topics and the last events.
#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "realtime/commands.hpp"
#include "realtime/sequence.hpp"

namespace patchbay {

/// A conversation that a viewer may see.
struct SeenConversation {
    std::string id;
    int64_t number = 0;
    Audience audience;
};

/// The state behind /ws. [one thread] It never blocks but in `find`, and sends through WebSocket,
/// which does not block either.
class Switchboard {
public:
    using LineId = uint64_t;
    /// A conversation by id or number; nullopt when there is none that the viewer may see.
    using Find = std::function<std::optional<SeenConversation>(const Viewer&, const std::string&)>;
    struct Limits {
        EventLog::Limits log{};
        int64_t resumable = 10'000;  ///< Events of one user; more are a resync.
        size_t topics = 200;         ///< Of one line.
        std::chrono::milliseconds to_sign_in{5'000};
        std::chrono::milliseconds to_come_back{5'000};  ///< Before the others see him go.
        std::chrono::milliseconds remembered = std::chrono::hours{1};
    };
    Switchboard(const Clock& clock, std::string version, Find find, Limits limits);

    /// A new line; nobody has signed in on it. It is closed with 4401 unless sign_in comes in time.
    void open(LineId id, WebSocketPtr socket);
    /// From here to the end of the caller's credential.
    /// `looked_up`: when the look-up of `who` began. What has ended since then is not let in.
    void sign_in(LineId id, const Caller& who, TimeMs looked_up);
    /// What somebody who has signed in says. Throws CommandRefused.
    void obey(LineId id, const Command& command);
    void go_on(LineId id);  ///< What was sent to it has left.
    void hang_up(LineId id, uint16_t code, const std::string& reason);
    void closed(LineId id);  ///< The line is gone.
    void answer(LineId id, std::string text);

    bool is_open(LineId id) const;
    bool has_signed_in(LineId id) const;

    /// To all who may see it and listen to it; kept for those who come back.
    void publish(LiveEvent event);
    /// To those who see the conversation. False: `who` does not.
    bool tell_typing(const Viewer& who, const std::string& conversation, bool is_typing);
    /// Hangs up on the lines of one user that were opened with this credential; empty: on all.
    void end_user(const std::string& user, const std::string& credential, uint16_t code,
                  const std::string& reason);
    /// Events were lost: everybody has to come back and fetch anew.
    void lose_all(const std::string& reason);

    void look_at_clock();
    /// Nobody listens and nobody may come back: events need not be told.
    bool is_idle() const { return lines_.empty() && people_.empty(); }
    size_t lines() const { return lines_.size(); }

private:
    struct CatchUp {
        std::optional<std::string> id;
        std::vector<RefusedTopic> refused;
        uint64_t position;
        int64_t seq;
    };
    struct Talk {
        int64_t number;
        std::string name;  // As the client named it.
    };
    struct Person;
    struct Line {
        WebSocketPtr socket;
        Person* person = nullptr;  // nullptr: not signed in, or hung up.
        TimeMs until = 0;
        int64_t last = 0;    // `seq` of the event before, or where this line's events began.
        uint8_t topics = 0;  // A bit each.
        bool ended = false;
        std::vector<Talk> talks;
        std::string credential;
        std::unique_ptr<CatchUp> catch_up;
    };
    struct Person {
        Viewer viewer;
        Sequence sequence;
        std::vector<LineId> lines{};
        TimeMs left_at = 0;  // Of the last line.
        bool is_shown = false;
    };
    struct Ended {
        std::string user, credential;
        TimeMs at;
    };
    struct Topics {
        std::vector<std::string> taken;
        std::vector<RefusedTopic> refused;
    };

    Person& person_of(const Caller& caller);
    Sequence new_sequence();
    bool has_ended(const Caller& who, TimeMs since) const;
    void show(Person& person, bool online);
    void set_deadline(LineId id, Line& line, TimeMs at);
    void ring_deadlines(TimeMs now);
    void look_after_people(TimeMs now);

    Topics take_topics(Line& line, const std::vector<std::string>& wanted);
    std::string take_topic(Line& line, const std::string& wanted);
    static bool has(const Line& line, const std::string& topic);
    static void drop_topic(Line& line, const std::string& topic);
    void subscribe(Line& line, const Command& command);
    void unsubscribe(Line& line, const Command& command);
    void resume(Line& line, const Command& command);
    void typing(Line& line, const Command& command);
    void pump(Line& line);
    void resync(Line& line, const std::optional<std::string>& id);
    static void deliver(Line& line, const LiveEvent& event, int64_t seq);

    const Clock& clock_;
    const std::string version_;
    const Find find_;
    const Limits limits_;
    EventLog log_;
    std::unordered_map<LineId, Line> lines_;
    std::unordered_map<std::string, Person> people_;
    std::set<std::pair<TimeMs, LineId>> deadlines_;
    std::deque<Ended> ended_;  // Of the last minute.
    TimeMs looked_after_people_ = 0;
    int64_t highest_ = 0;  // Of all numbers that were given.
};

}  // namespace patchbay
