#include "plugins/staged_copy.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <patchbay/errors.hpp>
#include <patchbay/text.hpp>

#include "base/crypto.hpp"

namespace patchbay {
namespace {

// Never used twice in one process, whatever instance or host asks.
std::atomic<uint64_t> copies{0};

std::filesystem::path stage(const PluginFile& file, const std::filesystem::path& folder) {
    const std::string digest = to_hex(sha256(file.content)).substr(0, 12);
    const auto path =
        folder / (file.stamp.name + "-" + digest + "-g" + std::to_string(++copies) + ".so");
    const int descriptor =
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0500);
    if (descriptor < 0)
        throw Error(ErrorKind::refused,
                    std::string("the private copy cannot be made: ") + std::strerror(errno));
    size_t done = 0;
    while (done < file.content.size()) {
        const ssize_t count =
            ::write(descriptor, file.content.data() + done, file.content.size() - done);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        done += static_cast<size_t>(count);
    }
    const bool whole = ::close(descriptor) == 0 && done == file.content.size();
    if (!whole) {
        std::filesystem::remove(path);
        throw Error(ErrorKind::refused, "the private copy cannot be written: no room?");
    }
    return path;
}

}  // namespace

StagedCopy::StagedCopy(const PluginFile& file, const std::filesystem::path& staging)
    : path_(std::filesystem::absolute(stage(file, std::filesystem::canonical(staging)))) {}

void StagedCopy::remove() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
}

}  // namespace patchbay
