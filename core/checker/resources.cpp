#include "checker/resources.hpp"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

// Of a sanitizer's allocator, which mallinfo2() does not know.
extern "C" [[gnu::weak]] size_t __sanitizer_get_current_allocated_bytes();

namespace patchbay::checker {
namespace {

namespace fs = std::filesystem;

std::set<int> threads_now() {
    std::set<int> threads;
    for (const auto& entry : fs::directory_iterator("/proc/self/task"))
        threads.insert(std::stoi(entry.path().filename()));
    return threads;
}

std::set<std::string> descriptors_now() {
    std::set<std::string> descriptors;
    for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const fs::path target = fs::read_symlink(entry.path(), gone);
        // Not the one that reads this folder.
        if (gone || target.string().starts_with("/proc/")) continue;
        descriptors.insert(entry.path().filename().string() + " " + target.string());
    }
    return descriptors;
}

size_t heap_now() {
    if (&__sanitizer_get_current_allocated_bytes) return __sanitizer_get_current_allocated_bytes();
    const auto info = ::mallinfo2();
    return info.uordblks + info.hblkhd;
}

template <class T>
std::set<T> added(const std::set<T>& before, const std::set<T>& after) {
    std::set<T> more;
    for (const T& one : after)
        if (!before.contains(one)) more.insert(one);
    return more;
}

}  // namespace

Resources resources_now() { return {threads_now(), descriptors_now(), heap_now()}; }

std::string left_behind(const Resources& before) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{1};
    while (true) {
        const size_t threads = added(before.threads, threads_now()).size();
        auto descriptors = added(before.descriptors, descriptors_now());
        // The provider's server opens one for each wait, and sometimes there was none before.
        const auto waiting = std::find_if(descriptors.begin(), descriptors.end(), [](auto& one) {
            return one.ends_with("anon_inode:[eventpoll]");
        });
        if (waiting != descriptors.end()) descriptors.erase(waiting);
        if (threads == 0 && descriptors.empty()) return {};
        if (std::chrono::steady_clock::now() >= until) {
            if (threads > 0) return std::to_string(threads) + " threads";
            return std::to_string(descriptors.size()) + " descriptors, one of them " +
                   *descriptors.begin();
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
}

}  // namespace patchbay::checker
