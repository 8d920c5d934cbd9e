#include "checker/exercise.hpp"

#include <patchbay/detail/methods.hpp>

namespace patchbay::checker {
namespace {

const Call call{.trace = "check", .left = milliseconds{2'000}};

class Gatherer {
public:
    Gatherer(const Subject& subject, Instance& instance, int number)
        : subject_(subject), instance_(instance), number_(std::to_string(number)) {}

    std::vector<Piece> run() {
        if (subject_.provides(Channel::interface_id)) add_channel();
        if (subject_.provides(WebhookHandler::interface_id)) add_webhooks();
        if (subject_.provides(EventHandler::interface_id)) add_events();
        if (subject_.provides(FlowSteps::interface_id)) add_flow();
        if (subject_.provides(HttpApi::interface_id)) add_api();
        if (subject_.provides(OperationHandler::interface_id)) add_operations();
        if (subject_.provides(SocketHandler::interface_id)) add_sockets();
        if (subject_.provides(HealthCheck::interface_id)) add("health", method::health, call);
        return std::move(pieces_);
    }

private:
    template <class... In>
    void add(const std::string& name, uint32_t method, const In&... in) {
        pieces_.push_back({name, method, wire::pack(in...)});
    }
    template <class Out>
    Out list(const char* name, uint32_t method) {
        const Answer answer = instance_.call(method);
        if (!answer.ok()) throw Failed{std::string(name) + "() answers " + answer.words()};
        return answer.as<Out>();
    }

    void add_channel() {
        const auto can = list<Capabilities>("capabilities", method::capabilities);
        const OutboundMessage message = sample_message("message-" + number_);
        const Mark mark{.provider_id = "p-1", .to = message.to, .from = message.from};
        add("send", method::send, call, message);
        if (can.look_up) add("look_up", method::look_up, call, message);
        if (can.list_since) add("list_since", method::list_since, call, int64_t{1'799'999'000'000});
        if (can.mark_read) add("mark_read", method::mark_read, call, mark);
        if (can.typing) add("typing", method::typing, call, mark);
    }
    void add_webhooks() {
        for (const Route& route : list<std::vector<Route>>("routes", method::routes)) {
            for (const std::string& body : sample_bodies()) {
                const Request request = sample_request(route.name, body, "request-" + number_);
                add("receive " + route.name, method::receive, call, request);
                if (route.signature == Signature::custom)
                    add("is_authentic " + route.name, method::is_authentic, call, request);
                if (route.answering == Answering::computed)
                    add("respond " + route.name, method::respond, call, request);
            }
        }
    }
    void add_events() {
        list<std::vector<std::string>>("topics", method::topics);
        for (const char* topic : {"message.received", "delivery.changed", "check.other"}) {
            add(std::string("handle ") + topic, method::handle, call, event(topic));
        }
    }
    void add_flow() {
        for (const StepInfo& step : list<std::vector<StepInfo>>("steps", method::steps)) {
            add("run " + step.name, method::run, call,
                StepInput{.step = step.name,
                          .input = "{}",
                          .state = "{}",
                          .event = event("message.received"),
                          .conversation = "conversation-" + number_,
                          .contact = "contact-" + number_,
                          .now_ms = 1'800'000'000'000});
        }
    }
    void add_api() {
        for (const ApiRoute& route :
             list<std::vector<ApiRoute>>("api_routes", method::api_routes)) {
            Request request = sample_request(route.name, "{}", "request-" + number_);
            request.method = route.method;
            request.url = route.path;
            request.user = "user-1";
            add("answer " + route.name, method::answer, call, request);
        }
    }
    void add_operations() {
        for (const auto& one : list<std::vector<OperationInfo>>("operations", method::operations)) {
            add("perform " + one.name, method::perform, call,
                OperationInput{one.name, "{}", "key-" + number_, "under_test"});
        }
    }
    void add_sockets() {
        for (const auto& route :
             list<std::vector<SocketRoute>>("socket_routes", method::socket_routes)) {
            const SocketMessage message{"socket-" + number_, route.name, "{}", "user-1", {}};
            add("opened " + route.name, method::socket_opened, call, message);
            add("message " + route.name, method::socket_message, call, message);
            add("closed " + route.name, method::socket_closed, call, message);
        }
    }
    Event event(const std::string& topic) const {
        return {.topic = topic,
                .dedupe_key = "key-" + number_,
                .provider_id = "p-1",
                .conversation = "conversation-" + number_,
                .kind = "text",
                .text = "hello",
                .data = "{}",
                .from = Address::phone("+15005550009"),
                .to = Address::phone("+15005550006")};
    }

    const Subject& subject_;
    Instance& instance_;
    std::string number_;
    std::vector<Piece> pieces_;
};

}  // namespace

OutboundMessage sample_message(const std::string& id) {
    return {.id = id,
            .conversation = "conversation-1",
            .text = "hello",
            .to = Address::phone("+15005550009"),
            .from = Address::phone("+15005550006"),
            .first_tried_ms = 1'799'999'999'000};
}

Request sample_request(const std::string& route, const std::string& body, const std::string& id) {
    return {
        .route = route,
        .method = "POST",
        .url = "https://hub.example/hooks/under_test/" + route,
        .body = body,
        .headers = {{"content-type", body.starts_with('{') ? "application/json"
                                                           : "application/x-www-form-urlencoded"}},
        .peer = "198.51.100.7",
        .id = id,
        .received_ms = 1'800'000'000'000};
}

const std::vector<std::string>& sample_bodies() {
    static const std::vector<std::string> bodies = {
        "MessageSid=SM1&AccountSid=AC1&From=%2B15005550009&To=%2B15005550006&Body=hello&NumMedia=1"
        "&MediaUrl0=https%3A%2F%2Fprovider.example%2F1&MediaContentType0=image%2Fjpeg",
        "MessageSid=SM1&MessageStatus=delivered&ErrorCode=30003",
        R"({"id":"e1","type":"message","from":"+15005550009","text":"hello","timestamp":1800000000})",
        R"({"object":"page","entry":[{"id":"1","changes":[{"field":"messages","value":{"messages":)"
        R"([{"id":"m1","from":"15005550009","timestamp":"1800000000","type":"text",)"
        R"("text":{"body":"hello"}}],"statuses":[{"id":"m2","status":"read"}]}}]}]})",
        "hello",
    };
    return bodies;
}

std::vector<Piece> ordinary_calls(const Subject& subject, Instance& instance, int number) {
    return Gatherer(subject, instance, number).run();
}

void exercise(const Subject& subject, Instance& instance, PlayedHub& hub,
              const std::function<void(const Piece&, const Answer&)>& seen) {
    const std::vector<Piece> pieces = ordinary_calls(subject, instance);
    for (const int status : {200, 400, 401, 429, 500}) {
        hub.provider.answer_always({.status = status,
                                    .body = R"({"sid":"X1","id":"X1","code":1,"message":"no",)"
                                            R"("error":{"code":1,"message":"no"}})"});
        for (const Piece& piece : pieces) {
            const Answer answer = instance.call_bytes(piece.method, piece.in);
            if (seen) seen(piece, answer);
        }
    }
}

}  // namespace patchbay::checker
