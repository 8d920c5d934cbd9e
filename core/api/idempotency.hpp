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

}  // namespace patchbay
