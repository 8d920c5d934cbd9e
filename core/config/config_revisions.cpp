#include "config/config_revisions.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/log.hpp"

namespace patchbay {
namespace {

constexpr const char* extension = ".yaml";

std::optional<int64_t> number_of(const std::filesystem::path& file) {
    const std::string name = file.stem();
    int64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool is_whole = error == std::errc{} && end == name.data() + name.size();
    if (file.extension() != extension || !is_whole || number < 1) return std::nullopt;
    return number;
}

[[noreturn]] void throw_errno(const std::filesystem::path& file) {
    throw std::system_error(errno, std::generic_category(), file.string());
}

}  // namespace

ConfigRevisions::ConfigRevisions(std::filesystem::path folder) : folder_(std::move(folder)) {
    std::error_code absent;
    for (const auto& entry : std::filesystem::directory_iterator(folder_, absent)) {
        if (const auto number = number_of(entry.path())) numbers_.push_back(*number);
    }
    std::sort(numbers_.begin(), numbers_.end());
}

std::filesystem::path ConfigRevisions::file_of(int64_t revision) const {
    return folder_ / (std::to_string(revision) + extension);
}

// Under another name first: half a text must never run again.
void ConfigRevisions::write(int64_t revision, const std::string& text) const {
    std::filesystem::create_directories(folder_);
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all);
    const auto part = folder_ / "next.part";
    const int descriptor =
        ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) throw_errno(part);
    const bool is_written =
        ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(descriptor) == 0;
    if (::close(descriptor) != 0 || !is_written) throw_errno(part);
    std::filesystem::rename(part, file_of(revision));
}

int64_t ConfigRevisions::note(const std::string& text) {
    if (latest() > 0 && this->text(latest()) == text) return latest();
    return note_new(text);
}

int64_t ConfigRevisions::note_new(const std::string& text) {
    const int64_t revision = latest() + 1;
    numbers_.push_back(revision);
    try {
        write(revision, text);
        while (numbers_.size() > kept) {
            std::filesystem::remove(file_of(numbers_.front()));
            numbers_.erase(numbers_.begin());
        }
    } catch (const std::system_error& error) {
        log_warn("config", "this revision cannot be run again later: its text was not kept",
                 {{"revision", std::to_string(revision)}, {"error", error.what()}});
    }
    return revision;
}

std::optional<std::string> ConfigRevisions::text(int64_t revision) const {
    std::ifstream file(file_of(revision), std::ios::binary);
    if (!file) return std::nullopt;
    return std::string{std::istreambuf_iterator<char>(file), {}};
}

}  // namespace patchbay
