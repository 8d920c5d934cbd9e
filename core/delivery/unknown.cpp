#include "delivery/unknown.hpp"

#include "base/abandonable.hpp"
#include "base/log.hpp"
#include "delivery/statements.hpp"
#include "delivery/status.hpp"
#include "messaging/status.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds claim_lasts = 45s;
constexpr milliseconds longest_look = 20s;
constexpr milliseconds delays_between_looks[] = {15s, 1min, 5min};
// The first send and one more: a message that gets lost twice is for people to look at.
constexpr int64_t most_blind_sends = 2;

Value text_or_null(const std::string& text) { return text.empty() ? Value{} : Value{text}; }

struct History {
    int64_t unknown_tries = 0;
    TimeMs last_ended = 0;
};

History history_of(Session& session, int64_t job_id) {
    const auto span = session.first(sql::attempt_span, {job_id});
    return {session.first(sql::attempt_count, {job_id, std::string{"unknown"}})->number(0),
            span->maybe_number(1).value_or(0)};
}

void require_ours(const UnknownJob& job, const std::optional<Row>& row) {
    if (!row) throw LeaseLost(job.id);
}

TryResult gave_up() {
    TryResult result;
    result.code = "outcome_unknown";
    result.reason = "the provider did not say what became of it";
    return result;
}

}  // namespace

// What the resolver decided, and why.
struct UnknownResolver::Finding {
    enum class Kind { evidence, found, refused, absent, look_again, hold, fail } kind = Kind::hold;
    TryResult result;
    milliseconds pause{0};
};

std::vector<UnknownJob> claim_unknown(Transaction& tx, const std::string& owner, size_t count,
                                      TimeMs now) {
    std::vector<UnknownJob> jobs;
    for (const Row& row : tx.run(sql::unknown_claim, {now, static_cast<int64_t>(count), owner,
                                                      now + claim_lasts.count()})) {
        UnknownJob job;
        job.id = row.number(0);
        job.queue = row.text(1);
        job.lane = row.text_or(2, "");
        job.ref = row.text_or(3, "");
        job.looks = row.number(5);
        job.token = row.number(6);
        job.kind = row.text(7);
        job.attempt = row.number(8);
        job.trace = row.text_or(10, "");
        jobs.push_back(std::move(job));
    }
    return jobs;
}

UnknownResolver::UnknownResolver(DeliveryContext& context, Gates gates)
    : context_(context), gates_(std::move(gates)) {}

size_t UnknownResolver::step(size_t count) {
    const TimeMs now = context_.store.clock().now_ms();
    // Looking costs a read a second, not a turn of the writer.
    const bool is_due = context_.store.read(
        [&](Session& session) { return session.first(sql::unknown_peek, {now}).has_value(); });
    if (!is_due) return 0;
    const auto jobs = context_.store.write(
        [&](Transaction& tx) { return claim_unknown(tx, context_.owner, count, now); });
    for (const UnknownJob& job : jobs) {
        const Abandonable here{[this, &job](Rest& rest) {
            rest.emplace_back([this, job] { try_to_resolve(job, false); });
        }};
        try_to_resolve(job, true);
        if (this_thread_is_lost()) break;
    }
    return jobs.size();
}

void UnknownResolver::try_to_resolve(const UnknownJob& job, bool asks) {
    try {
        resolve(job, asks);
    } catch (const LeaseLost&) {
        log_debug("delivery", "a callback was faster than the look-up", {{"message", job.ref}});
    } catch (const std::exception& error) {
        // Nothing is written: the claim runs out and the job is looked at again.
        log_warn("delivery", "an unknown outcome could not be resolved",
                 {{"message", job.ref}, {"error", error.what()}});
    }
}

UnknownResolver::Finding UnknownResolver::find_out(const UnknownJob& job, bool asks) {
    using Kind = Finding::Kind;
    const auto gate = gates_(job.queue);
    if (job.kind != "send" || !gate) return {Kind::absent, {}, 0ms};
    const auto outgoing = context_.store.read(
        [&](Session& session) { return load_outgoing(session, job.ref, job.id); });
    if (!outgoing) return {Kind::fail, gave_up(), 0ms};
    if (outgoing->rank >= rank_of("accepted")) return {Kind::evidence, {}, 0ms};

    const PluginLeasePtr plugin = gate->lease();
    if (!plugin || gate->paused()) return {Kind::look_again, {}, delays_between_looks[1]};
    const Capabilities capabilities = plugin->capabilities();
    if (capabilities.look_up) {
        if (auto seen = look_up(*plugin, job, outgoing->message, asks)) return *seen;
    }
    return by_policy(job, capabilities, outgoing->message);
}

// nullopt: the provider could not tell, and it was asked often enough.
std::optional<UnknownResolver::Finding> UnknownResolver::look_up(PluginLease& plugin,
                                                                 const UnknownJob& job,
                                                                 const OutboundMessage& message,
                                                                 bool asks) {
    using Kind = Finding::Kind;
    TryResult seen;
    try {
        if (!asks) throw Error(ErrorKind::timed_out, "the plugin did not answer in time");
        const auto attempt = static_cast<uint32_t>(job.attempt);
        const auto answer = plugin.look_up(
            {.trace = job.trace, .tenant = {}, .left = longest_look, .attempt = attempt}, message);
        if (!answer) return Finding{Kind::absent, {}, 0ms};
        seen = classify(*answer);
        if (seen.verdict == Verdict::refused || seen.verdict == Verdict::opted_out) {
            return Finding{Kind::refused, seen, 0ms};
        }
    } catch (...) {
        // Whatever broke in the look-up says nothing about the message.
        seen = classify(std::current_exception());
    }
    if (seen.verdict == Verdict::accepted) return Finding{Kind::found, seen, 0ms};
    const auto looks = static_cast<size_t>(std::max<int64_t>(job.looks - 1, 0));
    if (looks >= std::size(delays_between_looks)) return std::nullopt;
    return Finding{Kind::look_again, seen, delays_between_looks[looks]};
}

UnknownResolver::Finding UnknownResolver::by_policy(const UnknownJob& job,
                                                    const Capabilities& capabilities,
                                                    const OutboundMessage& message) {
    using Kind = Finding::Kind;
    if (capabilities.honours_id) return {Kind::absent, {}, 0ms};
    if (capabilities.when_unknown == UnknownPolicy::fail) return {Kind::fail, gave_up(), 0ms};
    if (capabilities.when_unknown == UnknownPolicy::hold) return {Kind::hold, {}, 0ms};
    const History history =
        context_.store.read([&](Session& session) { return history_of(session, job.id); });
    if (message.from_template || history.unknown_tries >= most_blind_sends) {
        return {Kind::hold, {}, 0ms};
    }
    const milliseconds waited{context_.store.clock().now_ms() - history.last_ended};
    if (waited < capabilities.hold_before) {
        return {Kind::look_again, {}, capabilities.hold_before - waited};
    }
    return {Kind::absent, {}, 0ms};
}

// Answers the message's new status; empty: as it was.
std::string UnknownResolver::apply(Transaction& tx, const UnknownJob& job, const Finding& finding,
                                   TimeMs now) {
    using Kind = Finding::Kind;
    touch_lane(tx, job.lane);
    switch (finding.kind) {
        case Kind::evidence:
            end(tx, job, "done", "evidence", "", now);
            return {};
        case Kind::found: {
            const std::string status = record_acceptance(tx, job.ref, finding.result, now);
            end(tx, job, "done", "found", "", now);
            return status;
        }
        case Kind::refused:
        case Kind::fail:
            raise_status(tx, {job.queue, job.ref}, "failed", finding.result.code,
                         finding.result.reason, now);
            end(tx, job, "dead", "refused", finding.result.text(), now);
            return "failed";
        case Kind::hold:
            end(tx, job, "dead", "held", "the outcome is unknown, staff decides", now);
            return {};
        case Kind::absent:
            require_ours(job, tx.first(sql::unknown_resolve_resend,
                                       {now, std::string{"sent again"}, job.id, job.token}));
            return {};
        case Kind::look_again:
            require_ours(job, tx.first(sql::unknown_later,
                                       {now + finding.pause.count(),
                                        text_or_null(finding.result.text()), job.id, job.token}));
            return {};
    }
    return {};
}

void UnknownResolver::end(Transaction& tx, const UnknownJob& job, const std::string& state,
                          const std::string& seen, const std::string& error, TimeMs now) {
    require_ours(job, tx.first(sql::unknown_resolve_end,
                               {state, now, text_or_null(error), job.id, job.token}));
    promote_next(tx, job.lane);
    record_attempt(tx, context_.ids,
                   {.job_id = job.id,
                    .attempt = job.attempt,
                    .owner = context_.owner,
                    .result = seen,
                    .started_at = now,
                    .ended_at = now,
                    .error = error});
}

void UnknownResolver::resolve(const UnknownJob& job, bool asks) {
    const Finding finding = find_out(job, asks);
    if (this_thread_is_lost()) throw LeaseLost(job.id);
    const TimeMs now = context_.store.clock().now_ms();
    const std::string status = context_.store.write(
        [&](Transaction& tx) { return apply(tx, job, finding, now); }, Urgency::owed);
    if (context_.wake) context_.wake(job.queue);
    if (status.empty()) return;
    announce(context_,
             {job.ref, job.lane, job.queue, status, finding.result.code, finding.result.reason},
             finding.kind == Finding::Kind::found ? Verdict::accepted : Verdict::refused,
             finding.result.provider_id);
}

}  // namespace patchbay
