#include "plugins/previous_file.hpp"

#include <atomic>
#include <fstream>
#include <iterator>
#include <patchbay/errors.hpp>

#include "base/log.hpp"
#include "plugins/generation.hpp"

namespace patchbay {
namespace {

std::atomic<uint64_t> copies{0};

}  // namespace

// A second name for the private copy: it takes no room of its own. Nothing is ever loaded from it.
PreviousFile::PreviousFile(const Generation& old) {
    const std::filesystem::path copy =
        old.staged().string() + "." + std::to_string(++copies) + extension;
    std::error_code error;
    std::filesystem::create_hard_link(old.staged(), copy, error);
    if (error) {
        log_warn("plugins", "there is no way back to the version before: it could not be kept",
                 {{"instance", old.instance()}, {"error", error.message()}});
        return;
    }
    copy_ = copy;
    named_ = old.path();
    digest_ = old.digest();
}

PreviousFile& PreviousFile::operator=(PreviousFile&& other) noexcept {
    if (this == &other) return *this;
    forget();
    copy_ = std::exchange(other.copy_, {});
    named_ = std::move(other.named_);
    digest_ = std::move(other.digest_);
    since_ = other.since_;
    return *this;
}

void PreviousFile::forget() {
    if (copy_.empty()) return;
    std::error_code ignored;
    std::filesystem::remove(copy_, ignored);
    copy_.clear();
}

bool PreviousFile::is_outlived(std::chrono::steady_clock::time_point now) {
    if (since_ == std::chrono::steady_clock::time_point{}) since_ = now;
    return now - since_ >= previous_kept;
}

PluginFile PreviousFile::read() const {
    std::ifstream stream(copy_, std::ios::binary);
    PluginFile file{named_, {std::istreambuf_iterator<char>(stream), {}}, {}};
    if (!stream) throw Error(ErrorKind::refused, "the version before cannot be read any more");
    file.stamp = read_stamp(file.content);
    return file;
}

}  // namespace patchbay
