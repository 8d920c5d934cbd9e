#include "messaging/mint.hpp"

#include "base/log.hpp"
#include "messaging/statements.hpp"

namespace patchbay {
namespace {

constexpr int64_t block_size = 10'000;
constexpr int64_t low_water = 6'000;  // A group of 1,024 writes takes a few numbers each.

int64_t take_block(Transaction& tx) {
    return tx.first(sql::counter_block, {std::string{"number"}, block_size})->number(0);
}

}  // namespace

Numbers::Numbers(Store& store) : store_(store) {
    const int64_t last = store_.write(take_block);
    blocks_.push_back({last - block_size + 1, last + 1});
    left_ = block_size;
}

Numbers::~Numbers() {
    std::unique_lock lock{mutex_};
    idle_.wait(lock, [this] { return !refilling_; });
}

int64_t Numbers::next() {
    std::unique_lock lock{mutex_};
    if (left_ == 0) {
        throw StoreError(StoreError::Kind::unavailable, "no numbers reserved yet, try again");
    }
    Block& block = blocks_.front();
    const int64_t number = block.next++;
    if (block.next == block.end) blocks_.pop_front();
    --left_;
    if (left_ < low_water && !refilling_) {
        refilling_ = true;
        lock.unlock();
        refill();
    }
    return number;
}

void Numbers::refill() {
    auto last = std::make_shared<int64_t>(0);
    try {
        store_.write_async([last](Transaction& tx) { *last = take_block(tx); },
                           [this, last](std::exception_ptr failed) {
                               std::lock_guard lock{mutex_};
                               if (!failed) {
                                   blocks_.push_back({*last - block_size + 1, *last + 1});
                                   left_ += block_size;
                               }
                               refilling_ = false;
                               idle_.notify_all();
                           });
    } catch (const StoreError& error) {
        log_warn("messaging", "numbers could not be reserved", {{"error", error.what()}});
        std::lock_guard lock{mutex_};
        refilling_ = false;
        idle_.notify_all();
    }
}

}  // namespace patchbay
