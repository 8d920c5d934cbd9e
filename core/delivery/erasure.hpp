// Forgetting a person (S86): texts, files, raw webhooks, answers and addresses go; counts and a
// salted proof stay, which says of an address that it was erased without telling which it is.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "delivery/tasks.hpp"
#include "messaging/mint.hpp"
#include "messaging/views.hpp"

namespace patchbay {

/// Nobody writes to it of our own accord any more. Who writes to us again is a new contact.
bool was_erased(Session& session, const Address& address);

struct ErasureOrder {
    ContactView contact;
    std::string actor, trace;
};
/// At once: the addresses go, the conversations end for good, nothing new can be sent. The id of
/// the task that does the rest; after the commit wake `tasks`.
std::string begin_erasure(Transaction& tx, Ids& ids, const ErasureOrder& order, TimeMs now);

/// Works on jobs of kind `erase`. [any thread]
class Eraser {
public:
    struct Needs {
        Store& store;
        /// Deletes a stored file. Empty: none are stored.
        std::function<void(const std::string& blob_key)> remove_file{};
    };
    explicit Eraser(Needs needs) : needs_(std::move(needs)) {}
    void add_to(TaskRunner& runner);

private:
    struct Traces;
    struct Counts;
    void run(const ClaimedJob& job);
    bool call_off_sends(const Traces& traces);
    void erase_conversation(const std::string& id, Counts& counts);
    void remove_files(const Values& range);
    void erase_messages(const std::string& id, int64_t from, int64_t to, Counts& counts);
    void erase_ingress(const Traces& traces, Counts& counts);
    void erase_answers(const Traces& traces, Counts& counts);
    void erase_recipients(const Traces& traces);
    Needs needs_;
};

}  // namespace patchbay
