#include "delivery/webhook_sender.hpp"

#include "base/log.hpp"
#include "base/time_text.hpp"
#include "delivery/job_runner.hpp"
#include "delivery/statements.hpp"
#include "delivery/webhook_statements.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds longest_call = 20s;
constexpr int gone = 410;

std::string body_of(const WebhookEvent& event, const JsonObject& data) {
    JsonObject json = make_object();
    json->set("type", event.type);
    json->set("timestamp", rfc3339_ms(event.at));
    json->set("data", data);
    return to_json(json);
}

TryResult result_of(const Response& response) {
    TryResult result;
    const bool took_it = response.status >= 200 && response.status < 300;
    result.verdict = took_it                   ? Verdict::accepted
                     : response.status == gone ? Verdict::refused
                                               : Verdict::retry_later;
    if (took_it) return result;
    result.code = std::to_string(response.status);
    result.reason = "the receiver did not take it";
    result.retry_after = response.retry_after();
    return result;
}

// One event that a receiver never takes is no reason to tell it nothing any more: only one for
// which nothing else went well either, from its first try to its last.
bool pause_if_hopeless(Transaction& tx, const ClaimedJob& job, const std::string& webhook_id,
                       const TryResult& result, TimeMs now) {
    std::string reason = "the receiver answered 410 Gone";
    if (result.verdict != Verdict::refused) {
        const auto webhook = find_webhook(tx, webhook_id);
        const auto span = tx.first(sql::attempt_span, {job.id});
        const auto first_try = span ? span->maybe_number(0) : std::nullopt;
        if (!webhook || !webhook->failing_since || !first_try) return false;
        if (*webhook->failing_since > *first_try) return false;
        reason = "no delivery went well since " + rfc3339_ms(*webhook->failing_since) + ": " +
                 result.text();
    }
    return tx.change(sql::webhook_pause, {redact(reason), now, webhook_id}) > 0;
}

}  // namespace

struct WebhookSender::Outgoing {
    Webhook webhook;
    std::vector<std::string> secrets;
    std::string id, body;
};

void WebhookSender::run(const ClaimedJob& job) {
    const WebhookEvent event = WebhookEvent::from_payload(job.payload);
    std::string why_not;
    const auto outgoing = read(job, event, why_not);
    if (!outgoing) return drop(job, why_not);
    const TimeMs began = needs_.store.clock().now_ms();
    conclude(job, *outgoing, call(*outgoing), began);
}

std::optional<WebhookSender::Outgoing> WebhookSender::read(const ClaimedJob& job,
                                                           const WebhookEvent& event,
                                                           std::string& why_not) {
    return needs_.store.read([&](Session& session) -> std::optional<Outgoing> {
        auto webhook = find_webhook(session, event.webhook_id);
        if (!webhook || webhook->paused_reason) {
            why_not = webhook ? "the webhook is disabled" : "the webhook is no more";
            return std::nullopt;
        }
        const auto data = needs_.data(session, event);
        if (!data) {
            why_not = "what it was about is no more";
            return std::nullopt;
        }
        auto secrets =
            webhook_secrets(session, needs_.sealer, webhook->id, needs_.store.clock().now_ms());
        return Outgoing{std::move(*webhook), std::move(secrets), "wh_" + std::to_string(job.id),
                        body_of(event, *data)};
    });
}

TryResult WebhookSender::call(const Outgoing& outgoing) {
    if (outgoing.secrets.empty()) {
        return {.verdict = Verdict::retry_later,
                .code = "no_secret",
                .reason = "the signing secret cannot be read; give the webhook a new one"};
    }
    Request request;
    request.method = "POST";
    request.url = outgoing.webhook.url;
    request.body = outgoing.body;
    const std::string timestamp = std::to_string(needs_.store.clock().now_ms() / 1000);
    request.headers = {{"content-type", "application/json"},
                       {"webhook-id", outgoing.id},
                       {"webhook-timestamp", timestamp},
                       {"webhook-signature", webhook_signature(outgoing.secrets, outgoing.id,
                                                               timestamp, outgoing.body)}};
    try {
        return result_of(
            needs_.client.call(request, {.timeout = longest_call, .idempotent = true}));
    } catch (const Error& error) {
        // It does not matter whether the request had left: the receiver knows repeats.
        return {.verdict = needs_.stopping() ? Verdict::stopping : Verdict::retry_later,
                .code = std::string{word(error.kind)},
                .reason = error.what()};
    }
}

void WebhookSender::drop(const ClaimedJob& job, const std::string& why) {
    const TimeMs now = needs_.store.clock().now_ms();
    write_owed(needs_.store, job,
               [&](Transaction& tx) { end_job(tx, job, "cancelled", why, now); });
}

void WebhookSender::conclude(const ClaimedJob& job, const Outgoing& outgoing,
                             const TryResult& result, TimeMs began) {
    const TimeMs now = needs_.store.clock().now_ms();
    const NextStep step = next_step(result, {job.attempt, job.max_attempts, now, random_jitter()});
    const std::string& id = outgoing.webhook.id;
    bool paused = false;
    write_owed(needs_.store, job, [&](Transaction& tx) {
        paused = false;
        if (step.job == NextStep::Job::done) {
            end_job(tx, job, "done", "", now);
            tx.change(sql::webhook_works, {id});
        } else if (step.job == NextStep::Job::ready) {
            retry_job(tx, job, step.run_at, step.spend_attempt, result.text());
            if (step.spend_attempt) tx.change(sql::webhook_fails, {began, id});
        } else {
            end_job(tx, job, "dead", result.text(), now);
            paused = pause_if_hopeless(tx, job, id, result, now);
        }
        record_attempt(tx, needs_.ids,
                       {.job_id = job.id,
                        .attempt = job.attempt,
                        .owner = needs_.owner,
                        .result = std::string{word(result.verdict)},
                        .started_at = began,
                        .ended_at = now,
                        .ms = now - began,
                        .error = result.text()});
    });
    if (!paused) return;
    log_warn("delivery", "a webhook was disabled", {{"webhook", id}, {"reason", result.text()}});
    needs_.paused();
}

}  // namespace patchbay
