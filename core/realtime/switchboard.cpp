#include "realtime/switchboard.hpp"

#include "base/json.hpp"

namespace patchbay {
namespace {

constexpr size_t burst_bytes = 256 << 10;  // Of what was missed; then the line has to take it in.
constexpr std::chrono::milliseconds people_interval{1'000};
constexpr std::chrono::milliseconds longest_handshake{60'000};
constexpr std::string_view one_conversation = "conversation:";
constexpr size_t max_name_bytes = 36;  // Of a conversation: a UUID.

uint8_t bit(Topic topic) { return static_cast<uint8_t>(1u << static_cast<unsigned>(topic)); }

// Neither a quote nor a backslash: it goes into JSON as it is.
bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= max_name_bytes &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') ||
                      c == '-';
           });
}

LiveEvent presence_of(const Caller& caller, bool online, TimeMs now) {
    JsonObject data = make_object();
    data->set("user_id", caller.id);
    data->set("online", online);
    return make_event(Topic::presence, "presence", now, to_json(data),
                      {.user = caller.id, .role = caller.role, .departments = caller.departments});
}

}  // namespace

Switchboard::Switchboard(const Clock& clock, std::string version, Find find, Limits limits)
    : clock_(clock),
      version_(std::move(version)),
      find_(std::move(find)),
      limits_(limits),
      log_(limits.log) {}

// ---- lines and people ----

void Switchboard::open(LineId id, WebSocketPtr socket) {
    Line& line = lines_[id];
    line.socket = std::move(socket);
    set_deadline(id, line, clock_.now_ms() + limits_.to_sign_in.count());
}

void Switchboard::sign_in(LineId id, const Caller& who, TimeMs looked_up) {
    if (has_ended(who, looked_up))
        return hang_up(id, close_code::try_again_later, "your access has just changed");
    Line& line = lines_.at(id);
    set_deadline(id, line, who.expires_at);
    line.credential = who.credential;
    Person& person = person_of(who);
    person.lines.push_back(id);
    line.person = &person;
    line.last = person.sequence.now();
    line.socket->send(frames::hello(person.viewer.caller, line.last, version_));
    if (!person.is_shown) show(person, true);
}

// The look-up was on another thread, and the end of the sign-in may have overtaken it.
bool Switchboard::has_ended(const Caller& who, TimeMs since) const {
    return std::any_of(ended_.begin(), ended_.end(), [&](const Ended& end) {
        return end.at >= since && end.user == who.id &&
               (end.credential.empty() || end.credential == who.credential);
    });
}

// Numbers begin at the time in microseconds: a number of an earlier life of the process, or from
// before the role changed, lies below and is never taken for one of this count.
Sequence Switchboard::new_sequence() {
    highest_ = std::max(clock_.now_ms() * 1000, highest_ + 1);
    return Sequence(highest_, log_.end());
}

Switchboard::Person& Switchboard::person_of(const Caller& caller) {
    const auto known = people_.find(caller.id);
    if (known == people_.end())
        return people_.emplace(caller.id, Person{Viewer(caller), new_sequence()}).first->second;
    Person& person = known->second;
    Viewer viewer(caller);
    if (!viewer.sees_as(person.viewer)) {
        for (const LineId id : std::vector(person.lines))
            hang_up(id, close_code::not_allowed, "your role or departments have changed");
    } else if (person.sequence.follow(log_, person.viewer)) {
        return person;
    }
    highest_ = std::max(highest_, person.sequence.now());
    person.viewer = std::move(viewer);
    person.sequence = new_sequence();
    return person;
}

void Switchboard::closed(LineId id) {
    const auto found = lines_.find(id);
    if (found == lines_.end()) return;
    deadlines_.erase({found->second.until, id});
    if (Person* person = found->second.person) {
        std::erase(person->lines, id);
        if (person->lines.empty()) person->left_at = clock_.now_ms();
    }
    lines_.erase(found);
}

// The rest of its life only the closing handshake goes on.
void Switchboard::hang_up(LineId id, uint16_t code, const std::string& reason) {
    const auto found = lines_.find(id);
    if (found == lines_.end() || std::exchange(found->second.ended, true)) return;
    Line& line = found->second;
    deadlines_.erase({line.until, id});
    line.catch_up.reset();
    if (Person* person = std::exchange(line.person, nullptr)) {
        std::erase(person->lines, id);
        if (person->lines.empty()) person->left_at = clock_.now_ms();
    }
    line.socket->close(code, reason);
}

void Switchboard::end_user(const std::string& user, const std::string& credential, uint16_t code,
                           const std::string& reason) {
    ended_.push_back({user, credential, clock_.now_ms()});
    const auto found = people_.find(user);
    if (found == people_.end()) return;
    for (const LineId id : std::vector(found->second.lines))
        if (credential.empty() || lines_.at(id).credential == credential) hang_up(id, code, reason);
}

void Switchboard::lose_all(const std::string& reason) {
    for (auto& [user, person] : people_) {
        highest_ = std::max(highest_, person.sequence.now());
        for (const LineId id : std::vector(person.lines))
            hang_up(id, close_code::try_again_later, reason);
    }
    people_.clear();
    log_.clear();
}

void Switchboard::answer(LineId id, std::string text) {
    const auto found = lines_.find(id);
    if (found != lines_.end()) found->second.socket->send(std::move(text));
}

bool Switchboard::is_open(LineId id) const {
    const auto found = lines_.find(id);
    return found != lines_.end() && !found->second.ended;
}

bool Switchboard::has_signed_in(LineId id) const {
    const auto found = lines_.find(id);
    return found != lines_.end() && found->second.person != nullptr;
}

void Switchboard::show(Person& person, bool online) {
    person.is_shown = online;
    publish(presence_of(person.viewer.caller, online, clock_.now_ms()));
}

// ---- time ----

void Switchboard::set_deadline(LineId id, Line& line, TimeMs at) {
    deadlines_.erase({line.until, id});
    line.until = at;
    if (at != 0) deadlines_.insert({at, id});
}

void Switchboard::look_at_clock() {
    const TimeMs now = clock_.now_ms();
    ring_deadlines(now);
    if (now - looked_after_people_ >= people_interval.count()) look_after_people(now);
}

void Switchboard::ring_deadlines(TimeMs now) {
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        const LineId id = deadlines_.begin()->second;
        hang_up(id, close_code::signed_out,
                lines_.at(id).person ? "the token has expired" : "nobody signed in");
    }
}

void Switchboard::look_after_people(TimeMs now) {
    looked_after_people_ = now;
    while (!ended_.empty() && ended_.front().at < now - longest_handshake.count())
        ended_.pop_front();
    log_.forget_old(now);
    for (auto at = people_.begin(); at != people_.end();) {
        Person& person = at->second;
        const bool is_away = person.lines.empty();
        if (is_away && person.is_shown && now - person.left_at >= limits_.to_come_back.count())
            show(person, false);
        const bool is_forgotten = is_away && now - person.left_at >= limits_.remembered.count();
        if (is_forgotten) highest_ = std::max(highest_, person.sequence.now());
        at = is_forgotten ? people_.erase(at) : std::next(at);
    }
    if (people_.empty()) log_.clear();
}

// ---- topics ----

bool Switchboard::has(const Line& line, const std::string& topic) {
    if (const auto whole = find_topic(topic)) return (line.topics & bit(*whole)) != 0;
    return std::any_of(line.talks.begin(), line.talks.end(),
                       [&](const Talk& talk) { return talk.name == topic; });
}

void Switchboard::drop_topic(Line& line, const std::string& topic) {
    if (const auto whole = find_topic(topic))
        line.topics &= static_cast<uint8_t>(~bit(*whole));
    else
        std::erase_if(line.talks, [&](const Talk& talk) { return talk.name == topic; });
}

// The code of the refusal; empty: taken.
std::string Switchboard::take_topic(Line& line, const std::string& wanted) {
    const Viewer& viewer = line.person->viewer;
    if (has(line, wanted)) return "";
    const auto whole = find_topic(wanted);
    const bool is_one = wanted.starts_with(one_conversation) &&
                        is_name(std::string_view(wanted).substr(one_conversation.size()));
    if (!whole && !is_one) return "unknown_topic";
    if (!may_have(viewer.caller, whole.value_or(Topic::conversations))) return "forbidden";
    const auto count = line.talks.size() + static_cast<size_t>(__builtin_popcount(line.topics));
    if (count >= limits_.topics) return "too_many_topics";
    if (whole) {
        line.topics |= bit(*whole);
        return "";
    }
    const auto found = find_(viewer, wanted.substr(one_conversation.size()));
    if (!found) return "unknown_id";
    line.talks.push_back({found->number, wanted});
    return "";
}

Switchboard::Topics Switchboard::take_topics(Line& line, const std::vector<std::string>& wanted) {
    Topics topics;
    for (const std::string& topic : wanted) {
        const std::string code = take_topic(line, topic);
        if (code.empty())
            topics.taken.push_back(topic);
        else
            topics.refused.push_back({topic, code});
    }
    return topics;
}

// ---- commands ----

void Switchboard::obey(LineId id, const Command& command) {
    using Kind = Command::Kind;
    Line& line = lines_.at(id);
    switch (command.kind) {
        case Kind::auth:
            throw CommandRefused{command.id, "already_signed_in", "somebody has signed in already"};
        case Kind::subscribe:
            return subscribe(line, command);
        case Kind::unsubscribe:
            return unsubscribe(line, command);
        case Kind::resume:
            return resume(line, command);
        case Kind::typing:
            return typing(line, command);
        case Kind::ping:
            return line.socket->send(frames::pong(command.id));
    }
}

void Switchboard::subscribe(Line& line, const Command& command) {
    const Topics topics = take_topics(line, command.topics);
    line.socket->send(
        frames::subscribed(command.id, topics.taken, topics.refused, line.person->sequence.now()));
}

void Switchboard::unsubscribe(Line& line, const Command& command) {
    for (const std::string& topic : command.topics) drop_topic(line, topic);
    line.socket->send(frames::unsubscribed(command.id, command.topics));
}

void Switchboard::typing(Line& line, const Command& command) {
    const Viewer& viewer = line.person->viewer;
    if (viewer.caller.role == "viewer")
        throw CommandRefused{command.id, "forbidden", "your role only listens"};
    if (!tell_typing(viewer, command.conversation, command.is_typing))
        throw CommandRefused{command.id, "unknown_id", "there is no such conversation"};
}

// ---- events ----

void Switchboard::publish(LiveEvent made) {
    if (people_.empty()) return;
    const LiveEvent& event = log_.append(std::move(made));
    for (auto& [user, person] : people_) {
        if (person.lines.empty()) continue;  // He makes up for it when he comes back.
        const auto counted = person.sequence.follow(log_, person.viewer);
        if (counted.value_or(0) == 0) continue;
        for (const LineId id : person.lines) {
            Line& line = lines_.at(id);
            if (!line.catch_up) deliver(line, event, person.sequence.now());
        }
    }
}

// Under the name of the one conversation, where the line has both.
void Switchboard::deliver(Line& line, const LiveEvent& event, int64_t seq) {
    const auto talk = std::find_if(line.talks.begin(), line.talks.end(), [&](const Talk& one) {
        return event.topic == Topic::conversations && one.number == event.conversation;
    });
    const bool is_one = talk != line.talks.end();
    if (!is_one && (line.topics & bit(event.topic)) == 0) return;
    line.socket->send(
        frames::event(seq, line.last, is_one ? std::string_view(talk->name) : word(event.topic)),
        event.text);
    line.last = seq;
}

void Switchboard::resume(Line& line, const Command& command) {
    if (line.catch_up) throw CommandRefused{command.id, "busy", "a resume is under way"};
    const Topics topics = take_topics(line, command.topics);
    const Person& person = *line.person;
    const auto position =
        person.sequence.find(log_, person.viewer, command.since, limits_.resumable);
    if (!position) return resync(line, command.id);
    line.last = command.since;
    line.catch_up =
        std::make_unique<CatchUp>(CatchUp{command.id, topics.refused, *position, command.since});
    pump(line);
}

// What the line takes in at once; new events wait in the log meanwhile.
void Switchboard::pump(Line& line) {
    CatchUp& state = *line.catch_up;
    if (state.position < log_.begin()) return resync(line, state.id);
    for (; state.position < log_.end(); ++state.position) {
        if (line.socket->queued() > burst_bytes) return line.socket->tell_when_drained();
        const LiveEvent& event = log_.at(state.position);
        if (may_see(line.person->viewer, event)) deliver(line, event, ++state.seq);
    }
    line.socket->send(frames::resumed(state.id, state.refused, state.seq));
    line.catch_up.reset();
}

void Switchboard::resync(Line& line, const std::optional<std::string>& id) {
    line.last = line.person->sequence.now();
    line.socket->send(frames::resync(id, "too_old", line.last));
    line.catch_up.reset();
}

void Switchboard::go_on(LineId id) {
    const auto found = lines_.find(id);
    if (found != lines_.end() && found->second.catch_up) pump(found->second);
}

bool Switchboard::tell_typing(const Viewer& who, const std::string& conversation, bool is_typing) {
    const auto found = find_(who, conversation);
    if (!found) return false;
    JsonObject data = make_object();
    data->set("conversation_id", found->id);
    data->set("user_id", who.caller.id);
    data->set("is_typing", is_typing);
    publish(make_event(Topic::conversations, "typing", clock_.now_ms(), to_json(data),
                       found->audience, found->number));
    return true;
}

}  // namespace patchbay
