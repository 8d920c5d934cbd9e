#include "app/hub_link.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "api/api.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"
#include "delivery/webhook_feed.hpp"
#include "http/client.hpp"
#include "store/migrations.hpp"

namespace patchbay {
namespace {

// A reload waits for new instances, and for calls into the old ones.
constexpr std::chrono::seconds call_timeout{120};
constexpr size_t max_answer_bytes = 64 << 20;

/// Somebody listens: a socket that a killed server left behind refuses.
bool answers(const std::string& socket_path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path) return false;
    std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
    const int handle = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (handle < 0) return false;
    const bool connected =
        connect(handle, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(handle);
    return connected;
}

class ServerLink final : public HubLink {
public:
    explicit ServerLink(const std::string& socket_path)
        : client_({.first_byte_timeout = call_timeout,
                   .max_body_bytes = max_answer_bytes,
                   .unix_socket = socket_path}) {}

    Response call(const std::string& method, const std::string& target,
                  const std::string& body) override {
        Request request;
        request.method = method;
        request.url = "http://localhost" + target;
        request.body = body;
        if (!body.empty()) request.headers["content-type"] = "application/json";
        try {
            return client_.call(request, {.timeout = call_timeout});
        } catch (const ConnectionFailed& error) {
            throw VerbFailure(exit_code::unavailable,
                              std::string("the server does not answer: ") + error.what());
        }
    }
    bool server_runs() const override { return true; }

private:
    HttpClient client_;
};

class StoreLink final : public HubLink {
public:
    explicit StoreLink(const HubConfig& config)
        : config_(config),
          store_({.url = config.store.url, .base = config.base}, clock_),
          ids_(clock_),
          numbers_(migrated(store_)),
          identity_(current_config_, store_, ids_),
          sealer_(sealer_of(config_)) {
        add_api_routes(router_, context_);
    }

    Response call(const std::string& method, const std::string& target,
                  const std::string& body) override {
        HttpRequest request;
        request.method = method;
        request.target = target;
        const size_t mark = std::min(target.find('?'), target.size());
        request.path = percent_decode(target.substr(0, mark)).value_or("/");
        if (mark < target.size()) request.query = target.substr(mark + 1);
        request.body = body;
        request.headers.push_back({"Content-Length", std::to_string(body.size())});
        if (!body.empty()) request.headers.push_back({"Content-Type", "application/json"});
        return call_locally(router_, context_, std::move(request));
    }
    bool server_runs() const override { return false; }

private:
    static Store& migrated(Store& store) {
        store.migrate("core", core_migrations());
        return store;
    }

    HubConfig config_;
    const CurrentConfig current_config_{config_};
    SystemClock clock_;
    Store store_;
    Ids ids_;
    Numbers numbers_;
    Identity identity_;
    const Sealer sealer_;
    // Who wants to hear of what is done here is told by the server, when one runs again.
    WebhookFeed webhooks_{store_, ids_, [](const std::string&) {}};
    ApiContext context_{current_config_, store_, identity_, {ids_, numbers_}, sealer_};
    Router router_;
};

JsonObject checked(const Response& response) {
    JsonObject json = make_object();
    try {
        if (!response.body.empty()) json = parse_json_object(std::string_view(response.body));
    } catch (const JsonError&) {
        throw VerbFailure(exit_code::failed, "the server's answer is not JSON");
    }
    if (response.ok()) return json;
    const std::string title = text_at(json, "title").value_or("refused");
    const std::string code = text_at(json, "code").value_or(std::to_string(response.status));
    throw VerbFailure(exit_of(response.status),
                      text_at(json, "detail").value_or(title) + " (" + code + ")");
}

}  // namespace

int exit_of(int status) {
    if (status / 100 == 2) return exit_code::done;
    if (status == 404) return exit_code::not_found;
    if (status == 503 || status == 504) return exit_code::unavailable;
    return status < 500 ? exit_code::refused : exit_code::failed;
}

JsonObject HubLink::get(const std::string& target) { return checked(call("GET", target, "")); }

JsonObject HubLink::post(const std::string& target, const JsonObject& body) {
    return checked(call("POST", target, body ? to_json(body) : ""));
}

Response HubLink::try_post(const std::string& target, const JsonObject& body) {
    return call("POST", target, to_json(body));
}

std::unique_ptr<HubLink> open_server(const HubConfig& config) {
    const std::string socket_path = config.state_folder() / "patchbay.sock";
    if (answers(socket_path)) return std::make_unique<ServerLink>(socket_path);
    throw VerbFailure(exit_code::unavailable,
                      "no server runs here: nothing answers at " + printable(socket_path));
}

std::unique_ptr<HubLink> open_hub(const HubConfig& config) {
    const std::string socket_path = config.state_folder() / "patchbay.sock";
    if (answers(socket_path)) return std::make_unique<ServerLink>(socket_path);
    return std::make_unique<StoreLink>(config);
}

std::string query_text(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::string query;
    for (const auto& [key, value] : pairs) {
        if (value.empty()) continue;
        query += (query.empty() ? "?" : "&") + key + "=" + percent_encode(value);
    }
    return query;
}

}  // namespace patchbay
