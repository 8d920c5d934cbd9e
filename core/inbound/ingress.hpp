// What arrived, raw: committed before the provider gets its 2xx (G1), routed afterwards.
#pragma once
#include <functional>
#include <patchbay/sdk.hpp>
#include <string>

#include "base/ids.hpp"
#include "base/work_record.hpp"
#include "http/message.hpp"
#include "store/store.hpp"

namespace patchbay {

struct IngressRow {
    int64_t id = 0;
    std::string route;
    Request request;  ///< As the plugin's receive() gets it.
    int64_t attempts = 0;
    std::string trace;  ///< Its traceparent, for what follows from it.
    static IngressRow from_row(const Row& row);
};

/// A row that failed so often is dead.
inline constexpr int64_t ingress_tries = 4;

/// At start, of the webhooks that a plugin was reading when the process died: after two deaths that
/// name it a row is dead, after four where none is named (G15, F42).
void blame_webhooks(Store& store, const std::vector<WorkLeft>& left);

/// [any thread]
class Ingress {
public:
    Ingress(Store& store, Ids& ids) : store_(store), ids_(ids) {}

    /// Stores the request and returns its id at once; `done` runs on the writer thread after the
    /// commit, or with the reason why there was none.
    int64_t accept(const std::string& instance, const std::string& route,
                   const HttpRequest& request, std::function<void(std::exception_ptr)> done);

    /// What a plugin sees of a request that is not stored yet (custom signatures, computed
    /// answers).
    static Request plugin_request(const HttpRequest& request, const std::string& route);

    /// Told after each commit, on the writer thread: must be short.
    void on_accepted(std::function<void(const std::string& instance)> listener) {
        accepted_ = std::move(listener);
    }

private:
    Store& store_;
    Ids& ids_;
    std::function<void(const std::string&)> accepted_;
};

}  // namespace patchbay
