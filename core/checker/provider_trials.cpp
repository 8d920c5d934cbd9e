// D11, D15, D18: a channel and its provider.
#include <patchbay/detail/methods.hpp>
#include <thread>

#include "checker/exercise.hpp"
#include "checker/slowness.hpp"
#include "checker/trial.hpp"

namespace patchbay::checker {
namespace {

/// What send() said: a result, or an error.
struct Sent {
    Answer answer;
    SendResult result;

    bool is(Outcome outcome) const { return answer.ok() && result.outcome == outcome; }
    bool is(ErrorKind kind) const { return answer.kind == kind; }
    std::string words() const {
        static constexpr const char* outcomes[] = {"accepted", "retry_later", "unknown", "refused",
                                                   "opted_out"};
        if (!answer.ok()) return answer.words();
        const auto number = static_cast<size_t>(result.outcome);
        return number < std::size(outcomes) ? outcomes[number] : "no known outcome";
    }
    milliseconds retry_after() const {
        return answer.ok() ? result.retry_after : answer.error.retry_after;
    }
};

Sent send(Instance& instance, const OutboundMessage& message, uint32_t attempt = 1) {
    Sent sent;
    sent.answer = instance.call(
        method::send, Call{.trace = "check", .left = milliseconds{5'000}, .attempt = attempt},
        message);
    if (sent.answer.ok()) sent.result = sent.answer.as<SendResult>();
    return sent;
}

struct Case {
    const char* name;
    ProviderDouble::Answer answer;
    bool (*fits)(const Sent&);
    const char* expected;
};

constexpr milliseconds told_wait{7'000};

const Case cases[] = {
    {"200",
     {200, R"({"sid":"X1","id":"X1","message_id":"X1","messages":[{"id":"X1"}]})"},
     [](const Sent& s) { return s.is(Outcome::accepted) || s.is(Outcome::unknown); },
     "accepted"},
    {"429 with Retry-After: 7",
     {429, R"({"code":1,"message":"slow down"})", {{"Retry-After", "7"}}},
     [](const Sent& s) {
         return (s.is(Outcome::retry_later) || s.is(ErrorKind::rate_limited)) &&
                s.retry_after() >= told_wait;
     },
     "retry_later in 7 s"},
    {"503",
     {503, "busy"},
     [](const Sent& s) {
         return s.is(Outcome::retry_later) || s.is(Outcome::unknown) ||
                s.is(ErrorKind::unavailable);
     },
     "unknown or retry_later"},
    {"401",
     {401, R"({"code":1,"message":"who are you"})"},
     [](const Sent& s) { return s.is(ErrorKind::unauthorized); },
     "Error(unauthorized)"},
    {"400",
     {400, R"({"code":1,"message":"no such number"})"},
     [](const Sent& s) {
         return s.is(Outcome::refused) || s.is(Outcome::opted_out) || s.is(ErrorKind::refused);
     },
     "refused"},
    {"a request whose answer is lost",
     {.hangs_up = true},
     [](const Sent& s) {
         return s.is(Outcome::unknown) ||
                (s.is(ErrorKind::unavailable) && s.answer.error.request_left);
     },
     "unknown, or ConnectionFailed as it came"},
};

void require_channel(const Subject& subject) {
    if (!subject.provides(Channel::interface_id)) throw Skipped{"it is no channel"};
}

// Whether the id, or something made of it, goes along: it is there, or another id makes another
// request.
std::string told_of(const ProviderRequest& request) {
    std::string text = request.url + "\n" + request.body;
    for (const auto& [name, value] : request.headers) text += "\n" + name + ":" + value;
    return text;
}

}  // namespace

Verdict check_provider(const Subject& subject) {
    require_channel(subject);
    for (const Case& one : cases) {
        PlayedHub hub;
        Copy copy(subject);
        Instance& instance = copy.start(hub.host());
        hub.provider.answer_always(one.answer);
        const Sent sent = send(instance, sample_message());
        if (hub.provider.requests().empty()) throw Skipped{"send() asks no provider over HTTP"};
        if (!one.fits(sent)) {
            const std::string wait =
                sent.is(Outcome::retry_later)
                    ? " in " + std::to_string(sent.retry_after().count()) + " ms"
                    : "";
            throw Failed{std::string(one.name) + " becomes " + sent.words() + wait + ", not " +
                         one.expected};
        }
        copy.end();
    }
    return {};
}

Verdict check_deadline(const Subject& subject) {
    constexpr milliseconds left{200};
    constexpr milliseconds slack{1'000};
    PlayedHub hub;
    milliseconds waited{0};
    const auto stall = [&](std::string_view in) -> std::string {
        Call call;
        Request request;
        HttpOptions options;
        wire::unpack(in, wire::Text::checked, call, request, options);
        const milliseconds wait = std::min(call.left, options.timeout);
        waited += wait;
        std::this_thread::sleep_for(std::min(wait, left));
        throw ConnectionFailed(true, "no answer in time");
    };
    hub.services.play(method::http, stall);
    Copy copy(subject);
    Instance& instance = copy.start(hub.host());
    bool asked = false;
    for (const Piece& piece : ordinary_calls(subject, instance)) {
        waited = milliseconds{0};
        const auto begin = std::chrono::steady_clock::now();
        // Of a field that comes twice, the last one counts: the same call with less time.
        instance.call_bytes(piece.method, piece.in + wire::pack(Call{.left = left}));
        const auto took = std::chrono::steady_clock::now() - begin;
        asked |= waited.count() > 0;
        if (waited > left * 2)
            throw Failed{piece.name + " waits " + std::to_string(waited.count()) +
                         " ms for its provider when " + std::to_string(left.count()) +
                         " ms are left"};
        if (waited.count() > 0 && took > left * 2 + slack * slowness)
            throw Failed{piece.name + " ends long after its time"};
    }
    copy.end();
    if (!asked) throw Skipped{"it asks no provider over HTTP"};
    return {};
}

Verdict check_same_id(const Subject& subject) {
    require_channel(subject);
    PlayedHub hub;
    Copy copy(subject);
    Instance& instance = copy.start(hub.host());
    if (!instance.call(method::capabilities).as<Capabilities>().honours_id)
        throw Skipped{"it does not say honours_id"};
    hub.provider.answer_always({.hangs_up = true});
    const auto request_of = [&](const std::string& id, uint32_t attempt) {
        const size_t before = hub.provider.requests().size();
        send(instance, sample_message(id), attempt);
        const auto requests = hub.provider.requests();
        if (requests.size() == before) throw Skipped{"send() asks no provider over HTTP"};
        return told_of(requests.back());
    };
    const std::string id = sample_message().id;
    const std::string first = request_of(id, 1), second = request_of(id, 2);
    const std::string other = request_of("0193a1c4-7b1e-7cc0-8e0f-000000000002", 1);
    const bool is_sent = first.find(id) != std::string::npos;
    // What is made of the id, a digest for one, makes another request of another id.
    const bool is_recognised =
        is_sent ? second.find(id) != std::string::npos : first == second && first != other;
    if (!is_recognised)
        throw Failed{is_sent ? "the second attempt has another id"
                             : "the message's id does not go along"};
    copy.end();
    return {};
}

}  // namespace patchbay::checker
