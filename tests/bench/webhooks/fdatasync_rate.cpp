// How often per second this disk makes an appended record durable: what a hub that syncs for every
// webhook alone could reach.
//
//   bench_fdatasync FOLDER SECONDS [BYTES]     prints one number
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

/// Appends and syncs until the time is up. Returns syncs per second; throws nothing, exits on a
/// write error.
double rate(int file, std::chrono::duration<double> span, const std::vector<char>& record) {
    using Clock = std::chrono::steady_clock;
    const auto began = Clock::now();
    long syncs = 0;
    while (Clock::now() - began < span) {
        if (write(file, record.data(), record.size()) != static_cast<ssize_t>(record.size()) ||
            fdatasync(file) != 0) {
            std::perror("fdatasync_rate");
            std::exit(EXIT_FAILURE);
        }
        ++syncs;
    }
    return static_cast<double>(syncs) / std::chrono::duration<double>(Clock::now() - began).count();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: bench_fdatasync FOLDER SECONDS [BYTES]\n");
        return 2;
    }
    const std::string path = std::string{argv[1]} + "/fdatasync_rate";
    const int file = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) {
        std::perror(path.c_str());
        return EXIT_FAILURE;
    }
    const std::vector<char> record(argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 4096, 'x');
    std::printf("%.0f\n", rate(file, std::chrono::duration<double>{std::atof(argv[2])}, record));
    close(file);
    unlink(path.c_str());
}
