// A counter with an API of its own: what it counts outlives reloads and restarts.
//
//   in    GET  /api/new_plugin/count   what it is
//   in    POST /api/new_plugin/count   one more

#include <charconv>
#include <patchbay/sdk.hpp>

namespace patchbay::new_plugin {
namespace {

struct Config {
    int64_t first;
};

// Runs twice: once to record the keys for checks, editors and documentation, once to read them.
Config read_config(ConfigReader& yaml) {
    return {.first = yaml.optional_int("first", 0, 0, 1'000'000, "Where the count begins")};
}

constexpr const char* key = "count";
constexpr int tries = 20;

class NewPlugin final : public Plugin, public HttpApi {
public:
    NewPlugin(Config config, Host host) : config_(config), host_(host) {}

    std::vector<ApiRoute> api_routes() const override;  // Who may call, the hub checks.
    Response answer(const Call& call, const Request& request) override;

private:
    int64_t count_of(const std::optional<Stored>& stored) const;
    int64_t add_one();

    const Config config_;
    const Host host_;
};

std::vector<ApiRoute> NewPlugin::api_routes() const {
    const std::string path = "/api/new_plugin/count";
    return {
        {.name = "show", .method = "GET", .path = path, .about = "The count"},
        {.name = "add",
         .method = "POST",
         .path = path,
         .about = "One more",
         .body = RouteBody::raw},
    };
}

int64_t NewPlugin::count_of(const std::optional<Stored>& stored) const {
    int64_t count = config_.first;
    if (stored)
        std::from_chars(stored->value.data(), stored->value.data() + stored->value.size(), count);
    return count;
}

// Several threads add at once: the version tells whether another one was faster.
int64_t NewPlugin::add_one() {
    for (int i = 0; i < tries; ++i) {
        const auto stored = host_.find(key);
        const int64_t count = count_of(stored) + 1;
        try {
            host_.store(key, std::to_string(count), {}, stored ? stored->version : 0);
            return count;
        } catch (const Error& error) {
            if (error.kind != ErrorKind::conflict) throw;
        }
    }
    throw Error(ErrorKind::unavailable, "too many count at once");
}

Response NewPlugin::answer(const Call&, const Request& request) {
    const int64_t count = request.route == "add" ? add_one() : count_of(host_.find(key));
    return {.body = "{\"count\":" + std::to_string(count) + "}",
            .headers = {{"content-type", "application/json"}}};
}

}  // namespace
PATCHBAY_PLUGIN(new_plugin, "0.1.0", NewPlugin, read_config, "kv/1")
}  // namespace patchbay::new_plugin
