#include "base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <chrono>
#include <stdexcept>

#include "base/json.hpp"
#include "base/time_text.hpp"
#include "base/trace.hpp"

namespace patchbay {
namespace {
thread_local const LogScope* scope = nullptr;
}  // namespace

/// Of the thread that writes a line.
struct LogIds {
    std::string request{};
    std::string_view trace{};
    LogIds() {
        if (!scope) return;
        request = redact(scope->request_id_);  // A client may have chosen it.
        trace = trace_id(scope->trace_);
    }
};

namespace {

constexpr std::string_view level_words[] = {"trace", "debug", "info", "warn", "error"};

struct Output {
    std::shared_ptr<spdlog::logger> logger;
    bool json = false;
};

std::atomic<int> lowest_level{static_cast<int>(LogLevel::info)};

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
    sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
    auto logger = std::make_shared<spdlog::logger>("patchbay", std::move(sink));
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);  // The last line before a crash is the one wanted.
    logger->set_error_handler([](const std::string&) {});  // A full disk must not stop the hub.
    return logger;
}

Output& output() {
    static Output out{make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>()), false};
    return out;
}

bool names_a_secret(std::string_view key) {
    static constexpr std::string_view words[] = {"authorization", "cookie", "password", "secret",
                                                 "signature",     "token",  "code_text"};
    return std::find(std::begin(words), std::end(words), key) != std::end(words);
}

/// Fields in which providers put numbers without a plus.
bool names_a_phone(std::string_view key) {
    static constexpr std::string_view words[] = {"phone", "wa_id", "to", "from", "number"};
    return std::find(std::begin(words), std::end(words), key) != std::end(words);
}

std::string shown(std::string_view key, std::string_view value) {
    if (names_a_secret(key)) return value.empty() ? "" : "***";
    const bool digits = value.size() >= 8 && value.size() <= 15 &&
                        value.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits && names_a_phone(key)) return redacted_digits(value);
    return redact(value);
}

/// U+0080 to U+009F: control characters to many terminals.
bool is_c1(std::string_view text) {
    return text.size() > 1 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
}

/// Control bytes would let a value forge a line or drive a terminal (S83).
void append_text(std::string& line, std::string_view value, bool quote) {
    static constexpr std::string_view digits = "0123456789abcdef";
    const auto escaped = [&](char c) {
        const auto byte = static_cast<unsigned char>(c);
        line += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    };
    if (quote) line += '"';
    while (!value.empty()) {
        const char c = value[0];
        size_t size = utf8_char_size(value);
        if (c == '\n') {
            line += "\\n";
        } else if (is_c1(value)) {
            escaped(value[1]);
        } else if (size == 0 || static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            escaped(c);  // Also what is no UTF-8: a terminal may not know UTF-8 either.
            size = 1;
        } else {
            if (quote && (c == '"' || c == '\\')) line += '\\';
            line += value.substr(0, size);
        }
        value.remove_prefix(size);
    }
    if (quote) line += '"';
}

std::string text_line(const std::string& at, LogLevel level, std::string_view component,
                      std::string_view text, const LogFields& fields, const LogIds& ids) {
    std::string line = at;
    line += ' ';
    line += level_words[static_cast<int>(level)];
    line.append(6 - level_words[static_cast<int>(level)].size(), ' ');
    append_text(line, component, false);
    line += ": ";
    append_text(line, redact(text), false);
    const auto add = [&](std::string_view key, std::string_view safe) {
        line += ' ';
        append_text(line, key, false);
        line += '=';
        append_text(line, safe, safe.empty() || safe.find_first_of(" =\"\\") != std::string::npos);
    };
    for (const auto& [key, value] : fields) add(key, shown(key, value));
    if (!ids.request.empty()) add("request_id", ids.request);
    if (!ids.trace.empty()) add("trace_id", ids.trace);
    return line;
}

// What a terminal could take for a command and JSON allows: C1 controls.
void escape_c1(std::string& line) {
    static constexpr std::string_view digits = "0123456789abcdef";
    for (size_t at = line.find('\xC2'); at != std::string::npos; at = line.find('\xC2', at + 1)) {
        if (!is_c1(std::string_view(line).substr(at))) continue;
        const auto byte = static_cast<unsigned char>(line[at + 1]);
        const char escape[] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};
        line.replace(at, 2, escape, sizeof escape);
    }
}

std::string json_line(const std::string& at, LogLevel level, std::string_view component,
                      std::string_view text, const LogFields& fields, const LogIds& ids) {
    std::string line = R"({"ts":")" + at + R"(","level":")";
    line += level_words[static_cast<int>(level)];
    line += '"';
    const auto add = [&](std::string_view key, std::string_view value) {
        if (line.back() != '{') line += ',';
        append_json_string(line, key);
        line += ':';
        append_json_string(line, value);
    };
    add("component", component);
    add("msg", redact(text));
    line += R"(,"fields":{)";
    // Of two fields with one name the first counts: a line is an object that every reader takes.
    for (auto field = fields.begin(); field != fields.end(); ++field) {
        const bool is_new = std::none_of(fields.begin(), field, [&](const auto& earlier) {
            return earlier.first == field->first;
        });
        if (is_new) add(field->first, shown(field->first, field->second));
    }
    line += '}';
    add("request_id", ids.request);
    add("trace_id", ids.trace);
    line += '}';
    escape_c1(line);
    return line;
}

}  // namespace

LogScope::LogScope(std::string_view request_id, std::string_view trace)
    : before_(scope), request_id_(request_id), trace_(trace) {
    scope = this;
}

LogScope::~LogScope() { scope = before_; }

LogScope::Ids LogScope::ids() {
    if (!scope) return {};
    return {std::string(scope->request_id_), std::string(scope->trace_)};
}

void set_log_level(const std::string& level) {
    const auto* word = std::find(std::begin(level_words), std::end(level_words), level);
    if (word == std::end(level_words)) {
        throw std::invalid_argument("unknown log level \"" + level + "\"");
    }
    lowest_level = static_cast<int>(word - std::begin(level_words));
}

void start_logging(const LogConfig& config) {
    set_log_level(config.level);
    spdlog::sink_ptr sink;
    if (config.file.empty()) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
        sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(config.file);
    }
    output() = {make_logger(std::move(sink)), config.format == "json"};
}

bool is_logged(LogLevel level) {
    return static_cast<int>(level) >= lowest_level.load(std::memory_order_relaxed);
}

void log(LogLevel level, std::string_view component, std::string_view text,
         const LogFields& fields) {
    if (!is_logged(level)) return;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string at =
        rfc3339_ms(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    const Output& out = output();
    const LogIds ids;
    const std::string line = out.json ? json_line(at, level, component, text, fields, ids)
                                      : text_line(at, level, component, text, fields, ids);
    out.logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace patchbay
