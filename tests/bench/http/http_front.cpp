// Handlers that do nothing, once behind the server's stages alone and once behind all that every
// request of the hub passes: what is left is the cost of the front. Prints two ports and a token,
// runs until its input ends.
#include <filesystem>
#include <iostream>

#include "app/request_pipeline.hpp"
#include "http/server.hpp"
#include "http/stages.hpp"
#include "identity/users.hpp"
#include "store/migrations.hpp"

namespace {

using namespace patchbay;

void nothing(const ExchangePtr& exchange) { exchange->answer({.body = "ok"}); }

ServerConfig on_any_port() {
    ServerConfig config;
    config.listen = "127.0.0.1:0";
    return config;
}

/// Deleted at the end.
class Folder {
public:
    Folder() {
        std::string name = std::filesystem::temp_directory_path() / "patchbay_http_XXXXXX";
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

HubConfig hub_config() {
    HubConfig config;
    config.auth.token_keys = {"0123456789abcdef0123456789abcdef"};
    config.departments = {"Reception"};
    config.log.access = "off";  // As nginx's, in the comparison.
    return config;
}

void add_bare_routes(Router& router) {
    for (const auto& [path, where] :
         {std::pair{"/reactor", RunsOn::reactor}, {"/worker", RunsOn::worker}})
        router.add(
            {.name = path, .method = "POST", .path = path, .body = BodyKind::any, .runs_on = where},
            nothing);
}

void add_hub_routes(Router& router) {
    router.add({.name = "bench.public",
                .method = "POST",
                .path = "/api/v1/bench/public",
                .body = BodyKind::json,
                .runs_on = RunsOn::reactor,
                .roles = {"public"}},
               nothing);
    router.add({.name = "bench.signed_in",
                .method = "POST",
                .path = "/api/v1/bench/signed_in",
                .body = BodyKind::json,
                .roles = {"agent"}},
               nothing);
}

}  // namespace

int main() {
    const Folder folder;
    SystemClock clock;
    Ids ids(clock);
    Router bare_router, hub_router;
    add_bare_routes(bare_router);
    add_hub_routes(hub_router);
    const HubConfig constant = hub_config();
    const CurrentConfig config{constant};
    StoreConfig store_config;
    store_config.base = folder.path();
    store_config.url = "sqlite:hub.db";
    Store store(store_config, clock);
    store.migrate("core", core_migrations());
    Identity identity(config, store, ids);
    store.write([&](Transaction& tx) {
        add_user(tx, ids, {"agent@example.com", "An agent", "agent", {"Reception"}, ""},
                 clock.now_ms());
    });
    Server bare(on_any_port(), clock, ids, bare_router,
                RequestPipeline{answer_errors, find_route(bare_router), check_body, dispatch});
    Server hub(on_any_port(), clock, ids, hub_router, hub_pipeline(config, hub_router, identity));
    bare.start();
    hub.start();
    std::cout << bare.port() << ' ' << hub.port() << ' '
              << identity.token_for("agent@example.com", {}).token << std::endl;
    std::cin.ignore(std::numeric_limits<std::streamsize>::max());
    hub.stop(std::chrono::seconds(1));
    bare.stop(std::chrono::seconds(1));
}
