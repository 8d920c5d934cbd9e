#include "api/idempotency.hpp"

#include <patchbay/sdk.hpp>

#include "api/answers.hpp"
#include "api/statements.hpp"
#include "base/crypto.hpp"
#include "base/log.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kept_for = 48h;
constexpr std::chrono::milliseconds given_up_after = 5min;

struct Key {
    std::string scope, key, body_hash;
    TimeMs now = 0;
};

std::optional<Key> key_of(const ExchangePtr& exchange, TimeMs now) {
    const HttpRequest& request = exchange->request();
    if (request.count("Idempotency-Key") == 0) return std::nullopt;
    const auto value = request.header("Idempotency-Key");
    const bool visible = value && std::all_of(value->begin(), value->end(),
                                              [](char c) { return c > ' ' && c <= '~'; });
    if (!visible || value->empty() || value->size() > 255) {
        throw Problem("invalid_header",
                      "Idempotency-Key must be one value of 1 to 255 visible ASCII characters.");
    }
    // Who did not sign in is known by the address only.
    const Caller& caller = exchange->caller;
    const std::string principal =
        caller.id.empty() ? caller.kind + "@" + request.peer : caller.kind + ":" + caller.id;
    return Key{principal + " " + request.method + " " + request.path, std::string(*value),
               to_hex(sha256(request.body)), now};
}

Response stored_answer(const Row& row) {
    Response response;
    response.status = static_cast<int32_t>(row.number(2));
    const JsonObject headers = json_or_empty_object(row.text(3)).extract<JsonObject>();
    for (const auto& name : headers->getNames()) {
        response.headers[name] = headers->getValue<std::string>(name);
    }
    response.body = row.bytes(4);
    response.headers["idempotent-replayed"] = "true";
    return response;
}

/// The earlier answer, or nullopt when the key is ours now.
std::optional<Response> begin(Transaction& tx, const Key& key) {
    tx.run(sql::idempotency_drop, {key.scope, key.key, key.now, key.now - given_up_after.count()});
    if (tx.first(sql::idempotency_begin,
                 {key.scope, key.key, key.body_hash, key.now, key.now + kept_for.count()})) {
        return std::nullopt;
    }
    const auto row = tx.first(sql::idempotency_get, {key.scope, key.key});
    if (!row) return std::nullopt;
    if (row->text(0) != key.body_hash) {
        throw Problem("idempotency_mismatch", "The key was used with another body.");
    }
    if (row->text(1) == "running") {
        throw Problem("idempotency_running", "The first request with this key is still at work.")
            .header("Retry-After", "1");
    }
    return stored_answer(*row);
}

void keep(Transaction& tx, const Key& key, const Response& response) {
    JsonObject headers = make_object();
    for (const auto& [name, value] : response.headers) headers->set(name, value);
    tx.run(sql::idempotency_end, {int64_t{response.status}, to_json(JsonValue(headers)),
                                  Blob{response.body}, key.scope, key.key});
}

bool is_kept(int status) { return status < 500 && status != 401 && status != 403 && status != 429; }

bool is_about_the_key(const Problem& problem) { return problem.code.starts_with("idempotency_"); }

struct OnceResult {
    Response response;
    bool replayed = false;
};

/// A refusal is stored too, so that a repeat does not get another answer than the first. The work
/// has been rolled back by then.
void keep_refusal(const ExchangePtr& exchange, ApiContext& context, const Key& key,
                  const Problem& problem) {
    auto response = std::make_shared<Response>(problem_response(problem, exchange->id()));
    context.store.write_async(
        [key, response](Transaction& tx) {
            if (!begin(tx, key)) keep(tx, key, *response);
        },
        [exchange, response](std::exception_ptr) {
            // Whether or not it could be kept, the refusal is the answer.
            answering_errors(exchange, [&] { exchange->answer(*response); });
        });
}

// The work has had its effect or was refused: the answer goes out even where it cannot be kept.
void keep_or_drop(Store& store, const Key& key, const Response& response) {
    try {
        store.write(
            [&](Transaction& tx) {
                if (is_kept(response.status)) {
                    keep(tx, key, response);
                } else {
                    tx.run(sql::idempotency_release, {key.scope, key.key});
                }
            },
            Urgency::owed);
    } catch (const StoreError& error) {
        log_warn("api", "the answer to a keyed request could not be kept",
                 {{"error", error.what()}});
    }
}

}  // namespace

bool begins_once(const ExchangePtr& exchange, Store& store) {
    const auto key = key_of(exchange, store.clock().now_ms());
    if (!key) return true;
    auto earlier = store.write([&](Transaction& tx) { return begin(tx, *key); });
    if (earlier) {
        exchange->answer(std::move(*earlier));
        return false;
    }
    exchange->before_answer(
        [&store, key = *key](Response& response) { keep_or_drop(store, key, response); });
    return true;
}

void forget_unfinished_keys(Store& store) {
    store.write([](Transaction& tx) { tx.run(sql::idempotency_forget); });
}

void answer_once(const ExchangePtr& exchange, ApiContext& context, OnceWork work,
                 std::function<void()> after_commit) {
    const auto key = key_of(exchange, context.now());
    const auto outcome = std::make_shared<OnceResult>();
    auto in_transaction = [key, outcome, work = std::move(work)](Transaction& tx) {
        if (key) {
            if (auto earlier = begin(tx, *key)) {
                *outcome = {std::move(*earlier), true};
                return;
            }
        }
        *outcome = {work(tx), false};
        if (key) keep(tx, *key, outcome->response);
    };
    auto done = [exchange, &context, key, outcome,
                 after_commit = std::move(after_commit)](std::exception_ptr error) {
        answering_errors(exchange, [&] {
            try {
                if (error) std::rethrow_exception(error);
            } catch (const Problem& problem) {
                if (key && is_kept(problem.status) && !is_about_the_key(problem)) {
                    return keep_refusal(exchange, context, *key, problem);
                }
                throw;
            }
            if (after_commit && !outcome->replayed) after_commit();
            exchange->answer(std::move(outcome->response));
        });
    };
    context.store.write_async(std::move(in_transaction), std::move(done));
}

}  // namespace patchbay
