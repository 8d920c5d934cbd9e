// POST requests that may be repeated safely (G4).
#pragma once
#include <functional>

#include "api/api.hpp"

namespace patchbay {

/// The work of a POST: in one transaction with what Idempotency-Key needs. It may run again after a
/// failed group, so it changes nothing but the database. A Problem it throws becomes the answer.
using OnceWork = std::function<Response(Transaction&)>;

/// Runs `work` on the writer and answers after the commit, on the writer's thread. A repeat with
/// the same key and body gets the first answer with Idempotent-Replayed: true; other body: 422; the
/// first still at work: 409. 401, 403, 429 and 5xx are not kept. `after_commit` runs after a commit
/// of new work, not after a replay.
void answer_once(const ExchangePtr& exchange, ApiContext& context, OnceWork work,
                 std::function<void()> after_commit = {});

/// The same for work that is no transaction, a plugin's: true when the caller is to do it now and
/// to answer the exchange, whatever it comes to; false when the first answer was given again.
/// Throws Problem for a key in use. Blocks for a commit, and the answer for another.
bool begins_once(const ExchangePtr& exchange, Store& store);

/// At start, where this process is alone with the database: what was at work died with the last
/// one.
void forget_unfinished_keys(Store& store);

}  // namespace patchbay
