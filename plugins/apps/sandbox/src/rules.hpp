// Faults that a test asks for: the next requests that match a rule are treated as it says.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace patchbay::sandbox {

/// `before`: closed before anything is done. `after`: done, closed without an answer. `half`: done,
/// closed in the middle of the answer.
enum class Drop { none, before, after, half };

struct Rule {
    std::string method;  ///< Empty: any.
    std::shared_ptr<const re2::RE2> path;
    int times = 1;
    std::chrono::milliseconds delay{0};
    Drop drop = Drop::none;
    int status = 0;  ///< Not 0: answered with this instead of being done.
    std::string body, type = "text/plain";
    std::map<std::string, std::string> headers;  ///< Added to the answer.
    std::string ends,
        error_code;  ///< How a message taken under this rule ends; queued: nothing is reported.
};

/// From JSON such as {"path": "Messages", "times": 2, "drop": "after"}. Throws RequestError(400)
/// naming the key for what is unknown or of another type.
Rule parse_rule(std::string_view json);

/// [any thread]
class Rules {
public:
    size_t add(Rule rule);  ///< Returns how many there are now.
    void clear();
    /// The first rule that matches, used up once.
    std::optional<Rule> take(const std::string& method, const std::string& path);

private:
    std::mutex mutex_;
    std::vector<Rule> rules_;
};

}  // namespace patchbay::sandbox
