// One content to many recipients (S73): checked and kept as one row, handed over to the outbox
// recipient by recipient in the background, so that it holds up neither the writer nor what others
// send, and goes on after a kill where it stood.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "delivery/outbox.hpp"
#include "delivery/tasks.hpp"
#include "http/exchange.hpp"

namespace patchbay {

inline constexpr size_t most_bulk_recipients = 10'000;
inline constexpr size_t bulk_unconfirmed = 1'000;  ///< More need a confirmation.
/// Nobody sends to thousands by mistake: `confirm` is their number.
bool is_confirmed(int64_t recipients, const std::optional<int64_t>& confirm);

/// What was given, each address once.
struct BulkRecipients {
    std::vector<std::string> list;  ///< In the order given: "kind:value", or "?" and the text.
    int64_t bad = 0, duplicates = 0;
    int64_t good() const { return static_cast<int64_t>(list.size()) - bad; }
};
BulkRecipients read_recipients(const std::vector<std::string>& given);

/// Parts of SMS; a channel with a session window counts messages.
int64_t bulk_segments(const Draft& draft, int64_t recipients);

struct BulkOrder {
    Draft draft;  ///< Without `to`. Its limits are read anew when it is handed over.
    BulkRecipients recipients;
    Caller caller;             ///< Sees what is in its departments only, here too (S69).
    int64_t most_per_day = 0;  ///< Of the channel, in 24 hours.
};
/// The id of the task. Throws SendRefused: daily_cap. After the commit wake `tasks`.
std::string start_bulk(Transaction& tx, Ids& ids, const BulkOrder& order, TimeMs now);

/// What waits is called off within two seconds. False: nothing is left to stop. After the commit
/// wake `tasks`.
bool stop_bulk(Transaction& tx, Ids& ids, const TaskView& task, TimeMs now);

struct BulkCounts {
    std::string status;  ///< running, paused, done, stopped
    int64_t queued = 0, successful = 0, failed = 0;
    std::optional<TimeMs> finished_at;
};
BulkCounts count_bulk(Session& session, const TaskView& task);

struct BulkResult {
    std::string to;      ///< As it is sent, or as it was given where it is no address.
    std::string status;  ///< of the message
    std::optional<std::string> message_id, provider_id, error_code, error_reason;
};
/// In the order given.
std::vector<BulkResult> bulk_results(Session& session, const TaskView& task, size_t from,
                                     size_t count);

/// Works on jobs of kinds `bulk` and `bulk.stop`. [any thread]
class BulkSender {
public:
    struct Needs {
        Store& store;
        Mint& mint;
        std::function<SendLimits(const std::string& channel)> limits;
        std::function<void(const std::string& queue)> wake;
    };
    explicit BulkSender(Needs needs) : needs_(std::move(needs)) {}
    void add_to(TaskRunner& runner);

private:
    struct Content;
    struct Slice;
    void hand_over(const ClaimedJob& job);
    void call_off(const ClaimedJob& job);
    std::optional<Content> read(const std::string& task_id);
    void hand_over_slice(const ClaimedJob& job, const Content& content, size_t from, size_t to);
    void hand_over_one(Transaction& tx, const std::string& task_id, const Content& content,
                       size_t place, const std::string& recipient);
    void keep_refusals(const std::string& task_id, const Slice& slice);
    Needs needs_;
};

}  // namespace patchbay
