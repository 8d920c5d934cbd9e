// What new rows get: ids, and the small numbers that the seeds' clients see.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>

#include "base/ids.hpp"
#include "store/store.hpp"

namespace patchbay {

/// One counter for all kinds (data-model.md section 1), taken from the database in blocks that are
/// committed before a number of them is used: a rolled-back transaction can lose numbers, never
/// give one twice. [any thread]
class Numbers {
public:
    explicit Numbers(Store& store);  ///< Reserves the first block: blocks on the writer.
    ~Numbers();                      ///< Waits for a reservation under way.

    /// Throws StoreError(unavailable) when numbers are used up faster than blocks can be committed;
    /// the caller's work is run again.
    int64_t next();

private:
    struct Block {
        int64_t next, end;
    };
    void refill();
    Store& store_;
    std::mutex mutex_;
    std::condition_variable idle_;
    std::deque<Block> blocks_;
    int64_t left_ = 0;
    bool refilling_ = false;
};

struct Mint {
    Ids& ids;
    Numbers& numbers;
};

}  // namespace patchbay
