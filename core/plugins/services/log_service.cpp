#include <patchbay/detail/methods.hpp>
#include <patchbay/host.hpp>

#include "base/log.hpp"
#include "plugins/services/basic_services.hpp"

namespace patchbay {
namespace {

LogLevel level_of(Level level) {
    switch (level) {
        case Level::trace:
            return LogLevel::trace;
        case Level::debug:
            return LogLevel::debug;
        case Level::info:
            return LogLevel::info;
        case Level::warn:
            return LogLevel::warn;
        case Level::error:
            return LogLevel::error;
    }
    return LogLevel::error;  // A number from a newer SDK: better seen than lost.
}

std::string write_line(const ServiceCaller& caller, std::string_view in) {
    Level level = Level::info;
    std::string text;
    Labels fields;
    wire::unpack(in, wire::Text::checked, level, text, fields);
    LogFields shown;
    for (const auto& [name, value] : fields) shown.emplace_back(name, value);
    log(level_of(level), caller.instance, text, shown);
    return {};
}

}  // namespace

void register_log_service(HostServices& services) {
    services.register_method("log/1", method::log, write_line);
}

}  // namespace patchbay
