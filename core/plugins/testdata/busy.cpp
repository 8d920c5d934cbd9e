// A plugin that does on demand what the hub offers to plugins with a product of their own.
//   GET  /api/busy/        what it has heard so far, one to a line
//   POST /api/busy/{what}  does it, with the body as its text
#include <mutex>
#include <patchbay/sdk.hpp>

namespace patchbay::busy {
namespace {

struct Config {
    std::string other;
    milliseconds tick;
};

Config read_config(ConfigReader& yaml) {
    return {.other = yaml.optional_text("other", "", "Instance to ask"),
            .tick = yaml.optional_duration("tick", milliseconds{0}, "Period of a timer; 0: none")};
}

class Busy final : public Plugin,
                   public HttpApi,
                   public OperationHandler,
                   public EventHandler,
                   public SocketHandler {
public:
    static std::vector<tables::Migration> migrations() {
        return {{.version = 1,
                 .name = "busy",
                 .sql = "CREATE TABLE busy_notes (id BIGINT NOT NULL PRIMARY KEY, text TEXT)"}};
    }

    Busy(Config config, Host host) : config_(std::move(config)), host_(host) {
        if (config_.tick.count() > 0) host_.every(config_.tick, "tick");
        host_.post("begun");
    }

    void on_timer(std::string_view name, std::string_view payload) override {
        note("timer " + std::string(name) + " " + std::string(payload));
    }
    void on_task(std::string_view name, std::string_view payload) override {
        note("task " + std::string(name) + " " + std::string(payload));
    }
    std::vector<std::string> topics() const override { return {"message.*", "busy.said"}; }
    void handle(const Call&, const Event& event) override {
        note("event " + event.topic + " " + event.text);
    }
    std::vector<OperationInfo> operations() const override {
        return {{.name = "note", .about = "Notes a text", .input_schema = "{}"}};
    }
    std::string perform(const Call&, const OperationInput& input) override {
        note("operation " + input.name + " " + input.input + " by " + input.caller);
        return R"({"noted":true})";
    }

    std::vector<ApiRoute> api_routes() const override {
        return {{.name = "heard",
                 .method = "GET",
                 .path = "/api/busy/",
                 .about = "What it has heard",
                 .callers = {"public"}},
                {.name = "do",
                 .method = "POST",
                 .path = "/api/busy/{what}",
                 .about = "Does it",
                 .deadline = milliseconds{5'000},
                 .callers = {"owner"},
                 .body = RouteBody::raw}};
    }
    Response answer(const Call& call, const Request& request) override {
        const Labels headers{{"content-type", "text/plain"}};
        if (request.route == "heard") return {.status = 200, .body = heard(), .headers = headers};
        return {.status = 200,
                .body = act(call, request.params.at("what"), request.body),
                .headers = headers};
    }

    std::vector<SocketRoute> socket_routes() const override {
        return {{.name = "live",
                 .path = "/ws/busy/{room}/",
                 .about = "Says what it hears",
                 .callers = {"public"},
                 .max_message_bytes = 1000,
                 .token_in_query = true}};
    }
    SocketReply opened(const Call&, const SocketMessage& socket) override {
        const std::string& room = socket.params.at("room");
        host_.push(room, R"({"pushed":"while it opened"})");
        return {.messages = {R"({"role":")" + socket.role + R"("})"}, .join = {room}};
    }
    SocketReply message(const Call&, const SocketMessage& message) override {
        const std::string& text = message.text;
        if (text == "leave")
            return {.messages = {"\"left\""}, .leave = {message.params.at("room")}};
        if (text == "close") return {.messages = {"\"bye\""}, .close = 4000, .reason = "as asked"};
        if (text == "wrong close") return {.close = 1006};
        if (text == "forbidden") throw Error(ErrorKind::forbidden, "not you");
        if (text == "throw") throw std::runtime_error("a bug");
        if (text == "close me") host_.close_socket(message.socket, 1000, "from outside");
        if (text == "count")
            return {.messages = {std::to_string(host_.listeners(message.params.at("room")))}};
        if (text == "to me") host_.push_to(message.socket, "\"to you alone\"");
        return {};
    }
    void closed(const Call&, const SocketMessage& socket) override {
        note("closed " + socket.params.at("room"));
    }

private:
    std::string act(const Call& call, const std::string& what, const std::string& text);
    void note(const std::string& line) {
        const std::lock_guard lock(mutex_);
        heard_ += line + "\n";
    }
    std::string heard() {
        const std::lock_guard lock(mutex_);
        return heard_;
    }

    const Config config_;
    const Host host_;
    std::mutex mutex_;
    std::string heard_;
};

std::string Busy::act(const Call& call, const std::string& what, const std::string& text) {
    const operations::OperationCall operation{
        .instance = config_.other, .name = "note", .input = text, .key = text};
    if (what == "left") return std::to_string(call.left.count());
    if (what == "after") host_.after(milliseconds{100}, "once", text);
    if (what == "post") host_.post("asked", text);
    if (what == "publish") host_.publish({.topic = "busy.said", .dedupe_key = text, .text = text});
    if (what == "perform") return host_.perform(call, operation);
    if (what == "queue") host_.queue(operation);
    if (what == "count") host_.count("asked_total", 1, {{"what", text}});
    if (what == "store") return host_.store_media("text/plain", text).id;
    if (what == "read") return host_.read_media(text);
    if (what == "fetch") return host_.fetch_media(call, {.method = "GET", .url = text}).id;
    if (what == "link") return host_.media_link(text, milliseconds{60'000});
    if (what == "user") return host_.find_user({.email = text})->role;
    if (what == "sign-in")
        return host_.sign_in({.email = text, .password = "wrong", .peer = "192.0.2.7"}).token;
    if (what == "query") return std::to_string(host_.query({.sql = text}).rows.size());
    if (what == "transaction")
        host_.transaction(
            {{.statement = tables::Statement{.sql = "INSERT INTO busy_notes VALUES ($1, $2)",
                                             .params = {1, text}}},
             {.operation = operation},
             {.event = Event{.topic = "busy.said", .dedupe_key = "t", .text = text}}});
    return "done";
}

}  // namespace
PATCHBAY_PLUGIN(busy, "1.0.0", Busy, read_config, "timers/1", "tasks/1", "events/1", "operations/1",
                "metrics/1", "blobs/1", "identity/1", "tables/1", "sockets/1")
}  // namespace patchbay::busy
