// The HTTP server with handlers that do nothing: what is left is the cost of the front. Prints its
// port, runs until its input ends.
#include <iostream>

#include "http/server.hpp"
#include "http/stages.hpp"

int main() {
    using namespace patchbay;
    SystemClock clock;
    Ids ids(clock);
    Router router;
    const auto nothing = [](const ExchangePtr& exchange) { exchange->answer({.body = "ok"}); };
    for (const auto& [path, where] :
         {std::pair{"/reactor", RunsOn::reactor}, {"/worker", RunsOn::worker}})
        router.add(
            {.name = path, .method = "POST", .path = path, .body = BodyKind::any, .runs_on = where},
            nothing);
    ServerConfig config;
    config.listen = "127.0.0.1:0";
    Server server(config, clock, ids, router,
                  RequestPipeline{answer_errors, find_route(router), check_body, dispatch});
    server.start();
    std::cout << server.port() << std::endl;
    std::cin.ignore(std::numeric_limits<std::streamsize>::max());
    server.stop(std::chrono::seconds(1));
}
