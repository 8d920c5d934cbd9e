// How many webhooks a second the store keeps, against what the disk can flush, in one run.
//
//   store_bench [folder] [seconds]      a folder on the disk in question; 2 seconds for each figure
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <semaphore>

#include "base/ids.hpp"
#include "inbound/statements.hpp"
#include "store/migrations.hpp"
#include "store/store.hpp"

namespace patchbay {
namespace {

using Seconds = std::chrono::duration<double>;
using SteadyClock = std::chrono::steady_clock;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Figure {
    double per_second;
    double cpu_us;  ///< Of the whole process, for each.
};

/// Calls `step` until the time is over; it returns how many it has done.
Figure measure(double seconds, const std::function<int64_t()>& step) {
    const double cpu = cpu_seconds();
    const auto start = SteadyClock::now();
    int64_t count = 0;
    double took = 0;
    while (took < seconds) {
        count += step();
        took = Seconds(SteadyClock::now() - start).count();
    }
    return {static_cast<double>(count) / took,
            (cpu_seconds() - cpu) * 1e6 / static_cast<double>(count)};
}

void print(const char* what, const Figure& figure, double flushes) {
    std::printf("%-44s %9.0f /s  %6.1f us CPU  %6.1fx fdatasync\n", what, figure.per_second,
                figure.cpu_us, figure.per_second / flushes);
}

Figure flush_figure(const std::filesystem::path& folder, double seconds) {
    const int file = open((folder / "flush").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const std::string page(4096, 'x');
    off_t at = 0;
    // Within 8 MiB, as the log is: overwriting needs no new block.
    const auto figure = measure(seconds, [&] {
        if (pwrite(file, page.data(), page.size(), at) < 0 || fdatasync(file) != 0) std::abort();
        at = (at + 4096) % (8 << 20);
        return 1;
    });
    close(file);
    return figure;
}

// A WhatsApp webhook of ordinary size.
Values webhook(Ids& ids, TimeMs now) {
    return {ids.machine_id(),
            "whatsapp",
            "webhook",
            "POST",
            "/hooks/whatsapp/webhook",
            std::string(180, 'h'),
            Blob{std::string(900, 'b')},
            "127.0.0.1",
            now};
}

/// Keeps `waiting` writes in the queue, as so many connections that wait for their 2xx would.
Figure write_figure(Store& store, Ids& ids, double seconds, std::ptrdiff_t waiting) {
    std::counting_semaphore<> free(waiting);
    const TimeMs now = store.clock().now_ms();
    const auto figure = measure(seconds, [&] {
        free.acquire();
        store.write_async(
            [row = webhook(ids, now)](Transaction& tx) { tx.run(sql::ingress_store, row); },
            [&](std::exception_ptr error) {
                if (error) std::abort();
                free.release();
            });
        return 1;
    });
    for (std::ptrdiff_t i = 0; i < waiting; ++i) free.acquire();
    return figure;
}

Figure wait_figure(Store& store, Ids& ids, double seconds) {
    const TimeMs now = store.clock().now_ms();
    return measure(seconds, [&] {
        const Values row = webhook(ids, now);
        store.write([&](Transaction& tx) { tx.run(sql::ingress_store, row); });
        return 1;
    });
}

Figure read_figure(Store& store, double seconds) {
    return measure(seconds, [&] {
        return static_cast<int64_t>(store.read([](Session& session) {
            return session.run(sql::ingress_to_route, {"whatsapp", int64_t{0}, int64_t{50}}).size();
        }));
    });
}

void run(const std::filesystem::path& folder, double seconds) {
    SystemClock clock;
    Ids ids(clock);
    Store store({.url = "sqlite:bench.db", .base = folder}, clock);
    store.migrate("core", core_migrations());
    const Figure flush = flush_figure(folder, seconds);
    print("fdatasync of one 4 KiB page", flush, flush.per_second);
    print("one webhook at a time, waited for", wait_figure(store, ids, seconds), flush.per_second);
    for (const std::ptrdiff_t waiting : {1, 10, 50, 200, 1000, 5000}) {
        const uint64_t before = store.commits();
        const Figure figure = write_figure(store, ids, seconds, waiting);
        const std::string what = "webhooks, " + std::to_string(waiting) + " waiting";
        print(what.c_str(), figure, flush.per_second);
        std::printf("    in %.0f commits/s\n",
                    static_cast<double>(store.commits() - before) / seconds);
    }
    print("rows read, 50 each time", read_figure(store, seconds), flush.per_second);
}

}  // namespace
}  // namespace patchbay

int main(int argc, char** argv) {
    std::string pattern =
        (std::filesystem::path(argc > 1 ? argv[1] : ".") / "store-bench-XXXXXX").string();
    if (!mkdtemp(pattern.data())) return std::perror("store_bench"), EXIT_FAILURE;
    patchbay::run(std::filesystem::absolute(pattern), argc > 2 ? std::atof(argv[2]) : 2);
    std::filesystem::remove_all(pattern);
    return EXIT_SUCCESS;
}
