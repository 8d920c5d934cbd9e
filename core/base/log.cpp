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

namespace patchbay {
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
    return key == "phone" || key == "wa_id" || key == "to" || key == "from";
}

std::string shown(std::string_view key, std::string_view value) {
    if (names_a_secret(key)) return value.empty() ? "" : "***";
    const bool digits = value.size() >= 8 && value.size() <= 15 &&
                        value.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits && names_a_phone(key)) return redact("+" + std::string(value)).substr(1);
    return redact(value);
}

/// Control bytes would let a value forge a line or drive a terminal (S83).
void append_text(std::string& line, std::string_view value, bool quote) {
    static constexpr std::string_view digits = "0123456789abcdef";
    if (quote) line += '"';
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            line += "\\n";
        } else if (byte < 0x20 || byte == 0x7f) {
            line += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
        } else {
            if (quote && (c == '"' || c == '\\')) line += '\\';
            line += c;
        }
    }
    if (quote) line += '"';
}

std::string text_line(const std::string& at, LogLevel level, std::string_view component,
                      std::string_view text, const LogFields& fields) {
    std::string line = at;
    line += ' ';
    line += level_words[static_cast<int>(level)];
    line.append(6 - level_words[static_cast<int>(level)].size(), ' ');
    append_text(line, component, false);
    line += ": ";
    append_text(line, redact(text), false);
    for (const auto& [key, value] : fields) {
        line += ' ';
        append_text(line, key, false);
        line += '=';
        const std::string safe = shown(key, value);
        append_text(line, safe, safe.empty() || safe.find_first_of(" =\"\\") != std::string::npos);
    }
    return line;
}

std::string json_line(const std::string& at, LogLevel level, std::string_view component,
                      std::string_view text, const LogFields& fields) {
    std::string line = R"({"at":")" + at + R"(","level":")";
    line += level_words[static_cast<int>(level)];
    line += '"';
    const auto add = [&](std::string_view key, std::string_view value) {
        line += ',';
        append_json_string(line, key);
        line += ':';
        append_json_string(line, value);
    };
    add("component", component);
    add("text", redact(text));
    for (const auto& [key, value] : fields) add(key, shown(key, value));
    return line + '}';
}

}  // namespace

void start_logging(const LogConfig& config) {
    const auto* word = std::find(std::begin(level_words), std::end(level_words), config.level);
    if (word == std::end(level_words)) {
        throw std::invalid_argument("unknown log level \"" + config.level + "\"");
    }
    lowest_level = static_cast<int>(word - std::begin(level_words));
    spdlog::sink_ptr sink;
    if (config.file.empty()) {
        sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
        sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(config.file);
    }
    output() = {make_logger(std::move(sink)), config.format == "json"};
}

void log(LogLevel level, std::string_view component, std::string_view text,
         const LogFields& fields) {
    if (static_cast<int>(level) < lowest_level.load(std::memory_order_relaxed)) return;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::string at =
        rfc3339_ms(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
    const Output& out = output();
    const std::string line = out.json ? json_line(at, level, component, text, fields)
                                      : text_line(at, level, component, text, fields);
    out.logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace patchbay
