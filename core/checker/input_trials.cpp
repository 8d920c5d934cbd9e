// D07 and D08: what comes in may be anything.
#include <patchbay/detail/methods.hpp>

#include "checker/exercise.hpp"
#include "checker/mutation.hpp"
#include "checker/slowness.hpp"
#include "checker/trial.hpp"
#include "config/problem.hpp"

namespace patchbay::checker {
namespace {

constexpr int garbage_per_method = 60;
constexpr int mutations_per_route = 3'000;
constexpr milliseconds longest_receive{250};
constexpr size_t most_events = 1'000;

bool is_served(const Subject& subject, const method::Entry& entry) {
    return std::string_view(entry.interface_id) == "plugin/1" ||
           subject.provides(entry.interface_id);
}

// Random bytes, and arguments that are nearly right.
void throw_garbage(Instance& instance, const Piece& piece, Mutator& mutator) {
    for (int i = 0; i < garbage_per_method; ++i) {
        const bool is_random = piece.in.empty() || i % 2 == 0;
        instance.call_bytes(piece.method,
                            is_random ? mutator.bytes(200) : mutator.changed(piece.in));
    }
}

void require_unsupported(Instance& instance, uint32_t number, const std::string& name) {
    const Answer answer = instance.call_bytes(number, "");
    if (answer.kind == ErrorKind::unsupported) return;
    throw Failed{"call " + name + ", which it does not have, answers " + answer.words() +
                 " instead of unsupported"};
}

class Fuzzer {
public:
    Fuzzer(const Subject& subject, Instance& instance)
        : subject_(subject), instance_(instance), mutator_(subject.seed) {}

    void run(const Route& route) {
        for (number_ = 0; number_ < mutations_per_route; ++number_) {
            const Request request = next_request(route);
            place_ = "route \"" + route.name + "\", mutation " + std::to_string(number_) +
                     ", body " + in_quotes(request.body) + ": ";
            receive_twice(request);
            if (route.signature == Signature::custom) ask(method::is_authentic, request);
            if (route.answering == Answering::computed) ask(method::respond, request);
        }
    }

private:
    Request next_request(const Route& route) {
        const auto& bodies = sample_bodies();
        std::string body = bodies[mutator_.below(bodies.size())];
        // The first ones as they are.
        if (static_cast<size_t>(number_) < bodies.size())
            body = bodies[number_];
        else
            body = mutator_.changed(body);
        Request request = sample_request(route.name, body, "request-" + std::to_string(number_));
        if (!route.methods.empty())
            request.method = route.methods[mutator_.below(route.methods.size())];
        if (request.method == "GET") request.query[mutator_.bytes(4)] = mutator_.bytes(30);
        if (mutator_.below(10) == 0) request.headers.clear();
        return request;
    }
    void receive_twice(const Request& request) {
        const auto begin = std::chrono::steady_clock::now();
        const Answer first = ask(method::receive, request);
        const auto middle = std::chrono::steady_clock::now();
        const Answer second = ask(method::receive, request);
        const auto end = std::chrono::steady_clock::now();
        if (first.kind != second.kind || first.bytes != second.bytes)
            throw Failed{place_ + "receive() says something else the second time"};
        if (std::min(middle - begin, end - middle) > longest_receive * slowness)
            throw Failed{place_ + "receive() takes more than 250 ms"};
        if (first.ok()) check_events(first.as<std::vector<Event>>());
    }
    void check_events(const std::vector<Event>& events) const {
        if (events.size() > most_events) throw Failed{place_ + "more than 1,000 events"};
        for (const Event& event : events) {
            if (event.topic.empty()) throw Failed{place_ + "an event has no topic"};
            if (event.dedupe_key.empty()) throw Failed{place_ + "an event has no dedupe_key"};
        }
    }
    Answer ask(uint32_t number, const Request& request) {
        Answer answer = instance_.call(number, Call{.left = milliseconds{1'000}}, request);
        if (answer.is_foreign())
            throw Failed{place_ + method::find(number)->name + "() answers " + answer.words()};
        return answer;
    }

    const Subject& subject_;
    Instance& instance_;
    Mutator mutator_;
    int number_ = 0;
    std::string place_;
};

}  // namespace

Verdict check_garbage(const Subject& subject) {
    PlayedHub hub;
    Copy copy(subject);
    Instance& instance = copy.start(hub.host());
    Mutator mutator(subject.seed);
    for (const Piece& piece : ordinary_calls(subject, instance))
        throw_garbage(instance, piece, mutator);
    for (const method::Entry& entry : method::all) {
        if (entry.number >= 1'000) break;
        if (is_served(subject, entry))
            throw_garbage(instance, {entry.name, entry.number, ""}, mutator);
        else
            require_unsupported(instance, entry.number, entry.name);
    }
    for (const uint32_t number : {0u, 99u, 999u, 1001u, 4'000'000'000u})
        require_unsupported(instance, number, std::to_string(number));
    copy.end();
    return {};
}

Verdict check_webhook_fuzz(const Subject& subject) {
    if (!subject.provides(WebhookHandler::interface_id)) throw Skipped{"it has no webhooks"};
    PlayedHub hub;
    Copy copy(subject);
    Instance& instance = copy.start(hub.host());
    const Answer routes = instance.call(method::routes);
    if (!routes.ok()) throw Failed{"routes() answers " + routes.words()};
    Fuzzer fuzzer(subject, instance);
    for (const Route& route : routes.as<std::vector<Route>>()) fuzzer.run(route);
    copy.end();
    return {};
}

}  // namespace patchbay::checker
