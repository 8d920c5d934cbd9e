// Structured log: a short sentence, then key=value pairs. Secrets and phone numbers are made
// unreadable in one place (S82).
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace patchbay {

using LogFields = std::vector<std::pair<std::string_view, std::string>>;

enum class LogLevel { trace, debug, info, warn, error };

struct LogConfig {
    std::string level = "info";
    std::string format = "text";      ///< text or json
    std::string file{};               ///< empty: stderr
    std::string access = "requests";  ///< off; requests: a line for each but those of health and
                                      ///< metrics; all
};

/// Once, before other threads start. Before it, lines of info and above go to stderr as text.
void start_logging(const LogConfig& config);

/// Another level from now on. Throws std::invalid_argument for a word that is none. [any thread]
void set_log_level(const std::string& level);

/// [any thread] `component` is the folder or the plugin instance. Values pass redact() and are
/// escaped.
void log(LogLevel level, std::string_view component, std::string_view text,
         const LogFields& fields = {});
/// Whether a line of this level would be written, for what costs something to put together.
bool is_logged(LogLevel level);
inline void log_info(std::string_view c, std::string_view t, const LogFields& f = {}) {
    log(LogLevel::info, c, t, f);
}
inline void log_warn(std::string_view c, std::string_view t, const LogFields& f = {}) {
    log(LogLevel::warn, c, t, f);
}
inline void log_error(std::string_view c, std::string_view t, const LogFields& f = {}) {
    log(LogLevel::error, c, t, f);
}
inline void log_debug(std::string_view c, std::string_view t, const LogFields& f = {}) {
    log(LogLevel::debug, c, t, f);
}

/// For whom this thread works: while it lives, every line of the thread carries these ids. Both
/// texts must outlive it; `trace` is a traceparent. The innermost one counts.
class LogScope {
public:
    LogScope(std::string_view request_id, std::string_view trace);
    ~LogScope();
    LogScope(const LogScope&) = delete;
    LogScope& operator=(const LogScope&) = delete;

    struct Ids {
        std::string request_id, trace;
    };
    /// Copies those of this thread, for another one that works for it.
    static Ids ids();

private:
    friend struct LogIds;
    const LogScope* before_;
    std::string_view request_id_, trace_;
};

/// The one redaction function: registered secrets become ***, phone numbers +49*****1234, bearer
/// tokens, signatures and cookies ***.
std::string redact(std::string_view text);

/// What redact() leaves of a phone number given by its digits: 49*****1234.
std::string redacted_digits(std::string_view digits);

/// Makes redact() hide this value from now on. Values under 6 bytes are ignored: they would hide
/// ordinary words.
void register_secret(std::string_view value);

}  // namespace patchbay
