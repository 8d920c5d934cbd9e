// How a verb reaches the hub: the running server through its control socket, or, where none runs,
// the same routes over the store.
#pragma once
#include <memory>
#include <string>

#include "base/json.hpp"
#include "config/hub_config.hpp"
#include "patchbay/sdk.hpp"

namespace patchbay {

class HubLink {
public:
    virtual ~HubLink() = default;
    /// `target` with its query. Throws VerbFailure(unavailable) when the server went away.
    virtual Response call(const std::string& method, const std::string& target,
                          const std::string& body) = 0;
    virtual bool server_runs() const = 0;

    /// The answer's object; VerbFailure with the problem's text and the exit code of its status
    /// otherwise.
    JsonObject get(const std::string& target);
    /// nullptr: without a body.
    JsonObject post(const std::string& target, const JsonObject& body);
    /// For a POST whose refusal has more to say than that.
    Response try_post(const std::string& target, const JsonObject& body);
};

/// The server that runs. Throws VerbFailure(unavailable) where none does.
std::unique_ptr<HubLink> open_server(const HubConfig& config);

/// Throws StoreError when another process holds the store but has no control socket yet.
std::unique_ptr<HubLink> open_hub(const HubConfig& config);

/// The exit code that goes with the status of an answer.
int exit_of(int status);

/// A query value.
std::string query_text(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace patchbay
