// Starts the program that a plugin is served by.
#pragma once
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace patchbay {

/// A descriptor of ours, closed at the end.
class OwnedDescriptor {
public:
    explicit OwnedDescriptor(int number = -1) : number_(number) {}
    ~OwnedDescriptor();
    OwnedDescriptor(OwnedDescriptor&& other) noexcept;
    OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept;
    int number() const { return number_; }

private:
    int number_;
};

/// A child of this process, not yet reaped.
struct Spawned {
    pid_t pid = -1;
    OwnedDescriptor socket;  ///< Our end of the pair.
    OwnedDescriptor handle;  ///< pidfd: readable once it has ended.
    OwnedDescriptor statm;   ///< /proc/<pid>/statm

    /// What it ended with, in words. Waits for the end.
    std::string reap();
    /// Bytes of data it has; 0: unknown.
    uint64_t data_bytes() const;
};

/// The program gets nothing of ours but standard error and, as descriptor 3, its end of a pair of
/// sockets; of the environment only what concerns language, time zone, loader and sanitizers. It
/// is killed when the calling thread ends: keep that one. Throws Error(unavailable).
Spawned spawn(const std::filesystem::path& program, const std::vector<std::string>& arguments);

}  // namespace patchbay
