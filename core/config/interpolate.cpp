#include "config/interpolate.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "config/problem.hpp"
#include "config/secrets.hpp"

namespace patchbay {
namespace {

constexpr size_t max_value_bytes = 64 << 10;
constexpr std::string_view single_dollar =
    "a single $; write $$ for the character, ${env:NAME} for a variable";

std::string lower(std::string text) {
    for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
    return text;
}

void fail(Interpolated& out, std::string_view code, std::string problem) {
    out.problem = std::move(problem);
    out.code = code;
}

bool is_secret_variable(const std::string& name) {
    const std::string word = lower(name);
    return is_secret_key(word) || word.ends_with("_key") || word.ends_with("_pass");
}

void put_secret(std::string value, Interpolated& out) {
    if (value.empty()) return;
    out.text += value;
    out.shown += hidden_secret;
    out.secrets.push_back(std::move(value));
}

void put_plain(std::string_view text, Interpolated& out) {
    out.text += text;
    out.shown += text;
}

void put_environment(std::string_view name, Interpolated& out) {
    const size_t sign = name.find(":-");
    const std::string variable(name.substr(0, sign));
    const char* value = std::getenv(variable.c_str());
    const bool is_set = value && (*value || sign == std::string_view::npos);
    if (!is_set && sign == std::string_view::npos) {
        return fail(out, config_code::unset_variable,
                    "environment variable " + in_message(variable) + " is not set");
    }
    if (!is_set) return put_plain(name.substr(sign + 2), out);
    if (is_secret_variable(variable)) return put_secret(value, out);
    put_plain(value, out);
}

/// What is wrong with a secret's file before it is read; empty: nothing.
std::string complaint(const struct stat& info) {
    if (S_ISDIR(info.st_mode)) return "is a folder";
    if (!S_ISREG(info.st_mode)) return "is no ordinary file";
    if (info.st_mode & S_IROTH) return "can be read by everybody; chmod it to 0600";
    if (static_cast<size_t>(info.st_size) > max_value_bytes) return "is larger than 64 KiB";
    return {};
}

std::string read_all(int descriptor) {
    std::string value(max_value_bytes + 1, '\0');
    size_t size = 0;
    while (size < value.size()) {
        const ssize_t count = ::read(descriptor, value.data() + size, value.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        size += static_cast<size_t>(count);
    }
    value.resize(size);
    return value;
}

void put_file(std::string_view name, const std::filesystem::path& base, Interpolated& out) {
    const std::filesystem::path file = (base / name).lexically_normal();
    const std::string what = "file " + in_message(name);
    // Not to wait for the other end of a pipe.
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        if (errno == ENOENT) {
            out.missing_file = file;
            return fail(out, config_code::secret_file, what + " does not exist");
        }
        return fail(out, config_code::secret_file,
                    what + " cannot be read: " + std::strerror(errno));
    }
    struct stat info {};
    std::string wrong = ::fstat(descriptor, &info) == 0 ? complaint(info) : "cannot be read";
    std::string value = wrong.empty() ? read_all(descriptor) : "";
    ::close(descriptor);
    if (value.size() > max_value_bytes) wrong = "is larger than 64 KiB";
    if (value.find('\0') != std::string::npos) wrong = "is no text: it has a zero byte";
    if (!wrong.empty()) return fail(out, config_code::secret_file, what + " " + wrong);
    if (value.ends_with('\n')) value.pop_back();
    if (value.ends_with('\r')) value.pop_back();
    put_secret(std::move(value), out);
}

/// `name` is what stands between the braces.
void put(std::string_view name, const std::filesystem::path& base, Interpolated& out) {
    out.changed = true;
    if (name.starts_with("env:") && name.size() > 4 && !name.starts_with("env::-")) {
        put_environment(name.substr(4), out);
    } else if (name.starts_with("file:") && name.size() > 5) {
        put_file(name.substr(5), base, out);
    } else {
        fail(out, config_code::placeholder,
             "unknown source \"${" + in_message(name) +
                 "}\"; use ${env:NAME}, ${env:NAME:-default} or ${file:path}");
    }
}

}  // namespace

Interpolated interpolate(std::string_view text, const std::filesystem::path& base) {
    Interpolated out;
    const std::string_view whole = text;
    while (!text.empty()) {
        const size_t dollar = text.find('$');
        put_plain(text.substr(0, dollar), out);
        if (dollar == std::string_view::npos) break;
        out.problem_offset = whole.size() - text.size() + dollar;
        text.remove_prefix(dollar + 1);
        if (text.starts_with('$')) {
            put_plain("$", out);
            text.remove_prefix(1);
            continue;
        }
        const size_t end = text.find('}');
        if (!text.starts_with('{') || end == std::string_view::npos) {
            fail(out, config_code::placeholder, std::string(single_dollar));
            break;
        }
        put(text.substr(1, end - 1), base, out);
        text.remove_prefix(end + 1);
        if (out.problem.empty() && out.text.size() > max_value_bytes) {
            fail(out, config_code::range, "is larger than 64 KiB with what was put in");
        }
        if (!out.problem.empty()) break;
    }
    return out;
}

}  // namespace patchbay
