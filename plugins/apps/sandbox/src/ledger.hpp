// What the played provider remembers: every message it took, in order, and what became of it.
#pragma once
#include <Poco/JSON/Object.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace patchbay::sandbox {

/// Times are milliseconds since 1970-01-01 UTC; 0: not yet.
struct Message {
    std::string sid{}, account_sid{}, from{}, to{}, body{}, messaging_service_sid{};
    std::string direction = "outbound-api";  ///< or inbound
    std::string status = "queued", error_code{};
    std::string status_callback{};
    std::vector<std::string> media{};
    std::string content_sid{};  ///< Of a template.
    int64_t created_ms = 0, sent_ms = 0, updated_ms = 0;
    uint64_t order = 0;        ///< 1 for the first that was taken.
    bool answer_lost = false;  ///< Taken, but a rule cut the connection before the answer.
};

/// Empty members are not looked at.
struct Filter {
    std::string to{}, from{};
    int64_t since_ms = 0, before_ms = 0;
};

/// [any thread]
class Ledger {
public:
    /// `seed` 0: other ids at every start, so that a hub which remembers the last run does not take
    /// a new message for a repeated one.
    explicit Ledger(uint64_t seed);

    /// Two letters and 32 hex digits, as every Twilio id.
    std::string new_sid(const std::string& letters);

    /// Gives the message its place and, unless it has one, its sid.
    Message take(Message message);
    void set_status(const std::string& sid, const std::string& status,
                    const std::string& error_code, int64_t now_ms);
    void mark_answer_lost(const std::string& sid);

    std::optional<Message> find(const std::string& sid) const;
    /// Newest first.
    std::vector<Message> list(const Filter& filter) const;
    /// Every message in the order it was taken.
    std::vector<Message> all() const;
    void forget();

private:
    mutable std::mutex mutex_;
    std::mt19937_64 random_;
    std::vector<Message> messages_;
    std::map<std::string, size_t> by_sid_;
    uint64_t taken_ = 0;
};

/// As Twilio prints a message.
Poco::JSON::Object::Ptr message_json(const Message& message);

/// As the sandbox prints it for a checker: place, time and what the answer was.
Poco::JSON::Object::Ptr receipt_json(const Message& message);

}  // namespace patchbay::sandbox
