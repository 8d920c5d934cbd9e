// Named places where a fault test may kill the process: PATCHBAY_FAILPOINT=name:n aborts the n-th
// time `name` is passed.
#pragma once
#include <atomic>
#include <string_view>
#include <vector>

namespace patchbay {

/// One named place. Define them at namespace scope (`const Failpoint
/// after_commit{"ingress.after_commit"};`): each registers itself, so that `patchbay failpoints`
/// lists all. Passing one costs a load and a compare when none is armed. [any thread]
class Failpoint {
public:
    explicit Failpoint(const char* name);
    /// _exit(137) when armed and due, without flushing anything: as close to kill -9 as a process
    /// can get.
    void pass() const {
        if (left_.load(std::memory_order_relaxed) > 0) count_down();
    }
    std::string_view name() const { return name_; }

    static const std::vector<const Failpoint*>& all();
    static void arm(std::string_view spec);  ///< "name:n"; throws std::invalid_argument for an
                                             ///< unknown name or a bad count.
    /// Arms what PATCHBAY_FAILPOINT says, if it is set. Called once, at the start of main. Throws
    /// like arm().
    static void arm_from_environment();

private:
    void count_down() const;
    const char* name_;
    mutable std::atomic<int> left_{0};
};

}  // namespace patchbay
