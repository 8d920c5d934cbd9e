#include "config/interpolate.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

namespace patchbay {
namespace {

constexpr size_t max_value_bytes = 64 << 10;

void put_environment(std::string_view name, Interpolated& out) {
    const size_t sign = name.find(":-");
    const std::string variable(name.substr(0, sign));
    const char* value = std::getenv(variable.c_str());
    if (value && (*value || sign == std::string_view::npos)) {
        out.text += value;
    } else if (sign != std::string_view::npos) {
        out.text += name.substr(sign + 2);
    } else {
        out.problem = "environment variable " + variable + " is not set";
    }
}

void put_file(std::string_view name, const std::filesystem::path& base, bool production,
              Interpolated& out) {
    const std::filesystem::path file = (base / name).lexically_normal();
    struct stat info {};
    if (stat(file.c_str(), &info) != 0) {
        out.missing_file = file;
        out.problem = "file " + std::string(name) + " does not exist";
        return;
    }
    if (production && (info.st_mode & S_IROTH)) {
        out.problem = "file " + std::string(name) + " can be read by everybody; chmod it to 0600";
        return;
    }
    std::ifstream in(file, std::ios::binary);
    std::string value(max_value_bytes + 1, '\0');
    in.read(value.data(), static_cast<std::streamsize>(value.size()));
    value.resize(static_cast<size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    if (!S_ISREG(info.st_mode) || in.bad() || (value.empty() && info.st_size > 0)) {
        out.problem = "file " + std::string(name) + " cannot be read";
    } else if (value.size() > max_value_bytes) {
        out.problem = "file " + std::string(name) + " is larger than 64 KiB";
    }
    if (value.ends_with('\n')) value.pop_back();
    if (value.ends_with('\r')) value.pop_back();
    out.text += value;
}

}  // namespace

Interpolated interpolate(std::string_view text, const std::filesystem::path& base,
                         bool production) {
    Interpolated out;
    while (!text.empty() && out.problem.empty()) {
        const size_t dollar = text.find('$');
        out.text += text.substr(0, dollar);
        if (dollar == std::string_view::npos) break;
        text.remove_prefix(dollar + 1);
        if (text.starts_with('$')) {
            out.text += '$';
            text.remove_prefix(1);
            continue;
        }
        const size_t end = text.find('}');
        if (!text.starts_with('{') || end == std::string_view::npos) {
            out.problem = "a single $; write $$ for the character, ${env:NAME} for a variable";
            break;
        }
        const std::string_view name = text.substr(1, end - 1);
        text.remove_prefix(end + 1);
        out.changed = true;
        if (name.starts_with("env:") && name.size() > 4) {
            put_environment(name.substr(4), out);
        } else if (name.starts_with("file:") && name.size() > 5) {
            put_file(name.substr(5), base, production, out);
        } else {
            out.problem = "unknown source \"${" + std::string(name) +
                          "}\"; use ${env:NAME}, ${env:NAME:-default} or ${file:path}";
        }
    }
    return out;
}

}  // namespace patchbay
