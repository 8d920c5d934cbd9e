#include "delivery/invariants.hpp"

#include "delivery/statements.hpp"

namespace patchbay {
namespace {

constexpr TimeMs longest_unrouted_ms = 60 * 1000;
constexpr TimeMs longest_running_request_ms = 5 * 60 * 1000;

struct Invariant {
    const Statement& statement;
    const char* text;
    std::optional<TimeMs> older_than_ms;
};

const Invariant invariants[] = {
    {sql::inv_waiting, "lanes with waiting jobs and nothing before them", {}},
    {sql::inv_heads, "lanes with two active jobs", {}},
    {sql::inv_running, "running jobs without a lease", {}},
    {sql::inv_ingress, "webhooks not routed for a minute", longest_unrouted_ms},
    {sql::inv_seq, "conversations with a gap or a repeat in seq", {}},
    {sql::inv_rank, "messages whose status is lower than that of their events", {}},
    {sql::inv_accepted, "sends that are done without an accepted attempt", {}},
    {sql::inv_idempotency, "requests running for five minutes", longest_running_request_ms},
};

std::string id_of(const Row& row) {
    const auto number = [&]() -> std::optional<int64_t> {
        try {
            return row.number(0);
        } catch (const std::logic_error&) {
            return std::nullopt;
        }
    }();
    return number ? std::to_string(*number) : row.text_or(0, "");
}

}  // namespace

std::vector<std::string> broken_invariants(Session& session, TimeMs now) {
    std::vector<std::string> broken;
    for (const auto& [statement, text, older_than] : invariants) {
        const Rows rows = session.run(statement, older_than ? Values{now - *older_than} : Values{});
        if (rows.empty()) continue;
        std::string sentence = std::string{text} + ":";
        for (const Row& row : rows) sentence += " " + id_of(row);
        broken.push_back(std::move(sentence));
    }
    return broken;
}

}  // namespace patchbay
