// Bodies that are nearly right: what a fuzzer makes of samples, the same from the same seed.
#pragma once
#include <cstdint>
#include <random>
#include <string>

namespace patchbay::checker {

class Mutator {
public:
    explicit Mutator(uint64_t seed) : random_(seed) {}

    uint64_t below(uint64_t end) { return end == 0 ? 0 : random_() % end; }
    std::string bytes(size_t most);
    /// One to four changes: bytes, pieces twice or never, words that break parsers.
    std::string changed(std::string text);

private:
    void change(std::string& text);
    std::mt19937_64 random_;
};

}  // namespace patchbay::checker
