#include "base/abandonable.hpp"

#include <utility>

namespace patchbay {

WorkInHand& work_in_hand() {
    thread_local WorkInHand work;
    return work;
}

bool this_thread_is_lost() { return work_in_hand().lost; }

Abandonable::Abandonable(std::function<void(Rest&)> abandon)
    : abandon_(std::move(abandon)), outer_(std::exchange(work_in_hand().innermost, this)) {}

Abandonable::~Abandonable() {
    WorkInHand& work = work_in_hand();
    work.innermost = outer_;
    if (!outer_) work.lost = false;
}

void give_up(WorkInHand& work) {
    if (work.lost.exchange(true)) return;
    Rest rest;
    for (const Abandonable* one = work.innermost; one; one = one->outer_) one->abandon_(rest);
    for (const auto& one : rest) one();
}

}  // namespace patchbay
