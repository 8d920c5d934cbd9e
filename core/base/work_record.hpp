// What each thread is at, in a file that outlives the process, however it dies: the next start
// reads there which work to blame (guarantees G15, F42).
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace patchbay {

enum class WorkKind : uint32_t { none, job, webhook };

/// This thread is at it, for as long as the object lives; in others, the innermost counts. Without
/// keep_work_record() nothing happens. A few stores to memory: no system call.
class AtWork {
public:
    AtWork(WorkKind kind, int64_t id);
    ~AtWork();
    AtWork(const AtWork&) = delete;
    AtWork& operator=(const AtWork&) = delete;

private:
    WorkKind kind_before_;
    int64_t id_before_;
};

struct WorkLeft {
    WorkKind kind = WorkKind::none;
    int64_t id = 0;
    bool crashed = false;  ///< Its thread is the one that crashed.
    friend bool operator==(const WorkLeft&, const WorkLeft&) = default;
};

/// From here on this process keeps its record in `file`. Answers what the one before was at when it
/// died; nothing, when it ended in good order. A thread that crashes (memory, stack, abort) marks
/// its work before the process dies of the signal as it would have. Throws where the file cannot be
/// written. Once, before the threads that work.
std::vector<WorkLeft> keep_work_record(const std::filesystem::path& file);

/// The end in good order: what threads are at now is nobody's fault.
void clear_work_record();

}  // namespace patchbay
