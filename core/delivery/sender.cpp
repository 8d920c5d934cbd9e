#include "delivery/sender.hpp"

#include "base/failpoint.hpp"
#include "base/log.hpp"
#include "delivery/probation.hpp"
#include "delivery/statements.hpp"
#include "delivery/status.hpp"
#include "messaging/consent.hpp"
#include "messaging/status.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds longest_call = 30s;
// Two workers must never talk to the provider for one message, so a call ends before its lease
// does.
constexpr milliseconds call_ends_before_lease = 2s;
constexpr milliseconds pause_without_plugin = 5s;

const Family<Histogram> send_seconds{"patchbay_send_seconds",
                                     "Calls of a channel's send(), the provider's time included.",
                                     {"channel"}};

const Failpoint before_sending{"delivery.before_sending"};
const Failpoint after_sending{"delivery.after_sending"};
const Failpoint after_send{"delivery.after_send"};
const Failpoint before_ack{"delivery.before_ack"};
const Failpoint after_ack{"delivery.after_ack"};

milliseconds time_left(const ClaimedJob& job, const Clock& clock) {
    const auto left = std::chrono::duration_cast<milliseconds>(job.lease->until() - clock.steady());
    return std::clamp(left - call_ends_before_lease, 0ms, longest_call);
}

void opt_out(Transaction& tx, Ids& ids, const ClaimedJob& job, const Outgoing& outgoing,
             TimeMs now) {
    if (outgoing.message.to.value.empty()) return;
    set_consent(tx, ids,
                {.address = outgoing.message.to,
                 .channel = job.queue,
                 .state = "out",
                 .source = "provider",
                 .evidence = job.ref,
                 .actor = job.queue,
                 .at = now});
}

// True where a callback has said meanwhile that the provider has it.
bool is_proven(Transaction& tx, const std::string& message_id) {
    const auto message = tx.first(sql::status_of, {message_id});
    return message && message->number(2) >= rank_of("accepted");
}

bool says_less_than_accepted(Verdict verdict) {
    return verdict == Verdict::unknown || verdict == Verdict::retry_later ||
           verdict == Verdict::not_sent || verdict == Verdict::internal;
}

void write_end(Transaction& tx, const ClaimedJob& job, const NextStep& step,
               const TryResult& result, TimeMs now) {
    switch (step.job) {
        case NextStep::Job::ready:
            return retry_job(tx, job, step.run_at, step.spend_attempt, result.text());
        case NextStep::Job::unknown:
            return leave_unknown(tx, job, step.run_at, result.text());
        case NextStep::Job::dead:
            end_job(tx, job, "dead", result.text(), now);
            return;
        case NextStep::Job::done:
            end_job(tx, job, "done", "", now);
            return;
    }
}

}  // namespace

void announce(DeliveryContext& context, const MessageChange& change, Verdict verdict,
              const std::string& provider_id) {
    context.outcomes.post(change.message_id,
                          {verdict, change.status, provider_id, change.code, change.reason});
    if (context.changed && !change.status.empty()) context.changed(change);
}

Sender::Sender(DeliveryContext& context, std::shared_ptr<ChannelGate> gate)
    : context_(context), gate_(std::move(gate)) {}

void Sender::run(ClaimedJob& job) {
    const auto outgoing = context_.store.read(
        [&](Session& session) { return load_outgoing(session, job.ref, job.id); });
    if (end_without_sending(job, outgoing)) return;
    if (gate_->paused()) return hand_back(job, 0ms, "the channel is paused");
    const PluginLeasePtr plugin = gate_->lease();
    if (!plugin) return hand_back(job, pause_without_plugin, "the channel's plugin is not active");

    before_sending.pass();
    mark(job);
    after_sending.pass();
    const TimeMs began = context_.store.clock().now_ms();
    const auto steady = context_.store.clock().steady();
    conclude_if_lost(job, *outgoing, began);
    const TryResult result = call_plugin(*plugin, job, outgoing->message);
    send_seconds.with({job.queue}).observe(context_.store.clock().steady() - steady);
    after_send.pass();
    conclude(job, *outgoing, result, began);
}

void Sender::conclude_if_lost(ClaimedJob& job, const Outgoing& outgoing, TimeMs began) {
    job.if_lost = [this, outgoing, began](const ClaimedJob& taken) {
        Error overrun(ErrorKind::timed_out, "the plugin did not answer in time");
        overrun.request_left = true;
        conclude(taken, outgoing, classify(std::make_exception_ptr(overrun)), began);
    };
}

bool Sender::end_without_sending(const ClaimedJob& job, const std::optional<Outgoing>& outgoing) {
    if (!outgoing || outgoing->erased) {
        end(job, "cancelled", "cancelled", "erased", "the message is gone");
        return true;
    }
    const int accepted = rank_of("accepted");
    if (outgoing->rank >= accepted) {
        const bool has_ended = outgoing->status == "cancelled" || outgoing->status == "expired";
        end(job, has_ended ? "cancelled" : "done", "", "", "");
        return true;
    }
    if (job.valid_until && *job.valid_until < context_.store.clock().now_ms()) {
        end(job, "dead", "expired", "expired", "it was not sent in time");
        return true;
    }
    if (job.crashes >= crashes_before_quarantine) {
        end(job, "dead", "failed", "quarantined", quarantine_reason);
        return true;
    }
    if (outgoing->opted_out) {
        end(job, "dead", "failed", "recipient_opted_out", "the recipient has opted out");
        return true;
    }
    return false;
}

void Sender::end(const ClaimedJob& job, const std::string& state, const std::string& status,
                 const std::string& code, const std::string& reason) {
    const TimeMs now = context_.store.clock().now_ms();
    write_owed(context_.store, job, [&](Transaction& tx) {
        touch_lane(tx, job.lane);
        if (!status.empty()) raise_status(tx, {job.queue, job.ref}, status, code, reason, now);
        end_job(tx, job, state, reason, now);
        record_attempt(tx, context_.ids,
                       {.job_id = job.id,
                        .attempt = job.attempt,
                        .owner = context_.owner,
                        .result = state == "done" ? "evidence" : "not_sent",
                        .started_at = now,
                        .ended_at = now,
                        .error = reason});
    });
    if (!status.empty()) {
        announce(context_, {job.ref, job.lane, job.queue, status, code, reason}, Verdict::refused,
                 "");
    }
}

void Sender::hand_back(const ClaimedJob& job, milliseconds pause, const std::string& why) {
    const TimeMs run_at = context_.store.clock().now_ms() + pause.count();
    write_owed(context_.store, job,
               [&](Transaction& tx) { retry_job(tx, job, run_at, false, why); });
}

void Sender::mark(ClaimedJob& job) {
    const TimeMs now = context_.store.clock().now_ms();
    context_.store.write([&](Transaction& tx) {
        mark_sending(tx, job, now);
        raise_status(tx, {job.queue, job.ref}, "sending", "", "", now);
    });
    job.sending = true;
}

TryResult Sender::call_plugin(PluginLease& plugin, const ClaimedJob& job,
                              const OutboundMessage& message) {
    const Call call{.trace = job.trace,
                    .left = time_left(job, context_.store.clock()),
                    .attempt = static_cast<uint32_t>(job.attempt)};
    try {
        return classify(plugin.send(call, message));
    } catch (...) {
        return classify(std::current_exception());
    }
}

void Sender::conclude(const ClaimedJob& job, const Outgoing& outgoing, const TryResult& result,
                      TimeMs began) {
    const TimeMs now = context_.store.clock().now_ms();
    const auto evidence_wait = gate_->capabilities().evidence_wait;
    const NextStep planned =
        next_step(result, {job.attempt, job.max_attempts, now, random_jitter(), evidence_wait});
    MessageChange change{job.ref,      outgoing.conversation_id, job.queue, "", result.code,
                         result.reason};
    before_ack.pass();
    // Before the table says so: whoever reads that the channel is paused and resumes it has to find
    // the gate shut.
    if (planned.pause_channel) gate_->pause("auth_failed");
    write_owed(context_.store, job, [&](Transaction& tx) {
        touch_lane(tx, job.lane);
        NextStep step = planned;
        std::string seen{word(result.verdict)};
        change.status.clear();
        if (says_less_than_accepted(result.verdict) && is_proven(tx, job.ref)) {
            step = {.job = NextStep::Job::done};
            seen = "evidence";
        } else if (result.verdict == Verdict::accepted) {
            change.status = record_acceptance(tx, job.ref, result, now);
        } else if (!step.status.empty() && raise_status(tx, {job.queue, job.ref}, step.status,
                                                        result.code, result.reason, now)) {
            change.status = step.status;
        }
        if (result.verdict == Verdict::opted_out) opt_out(tx, context_.ids, job, outgoing, now);
        if (step.pause_channel) {
            tx.run(sql::channel_pause, {job.queue, std::string{"auth_failed"}, now});
        }
        const bool parks = step.job == NextStep::Job::dead && gate_->settings().park_when_dead;
        if (parks) park_lane(tx, job.lane, "dead:" + std::to_string(job.id));
        write_end(tx, job, step, result, now);
        record_attempt(tx, context_.ids,
                       {.job_id = job.id,
                        .attempt = job.attempt,
                        .owner = context_.owner,
                        .result = seen,
                        .started_at = began,
                        .ended_at = now,
                        .ms = now - began,
                        .error = result.text()});
    });
    after_ack.pass();
    gate_->report(result.verdict, milliseconds{now - began});
    announce(context_, change, result.verdict, result.provider_id);
}

}  // namespace patchbay
