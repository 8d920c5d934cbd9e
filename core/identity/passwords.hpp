// Passwords: scrypt from OpenSSL in PHC strings (S60).
#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

namespace patchbay {

/// Cost of one hash: N = 2^log2_n.
struct ScryptCost {
    unsigned log2_n = 15, r = 8, p = 3;
};

/// Why a new password is refused; empty when it is fine. 12 to 256 bytes, any characters, none of
/// the best known.
std::string password_problem(std::string_view password);

/// [any thread] At most 2 hashes at once, since one takes 32 MiB and a quarter of a second; 16
/// callers wait, more get Problem busy.
class Passwords {
public:
    explicit Passwords(ScryptCost cost = {}) : cost_(cost) {}

    /// "$scrypt$ln=15,r=8,p=3$<salt>$<hash>".
    std::string hash(std::string_view password);
    /// False also for an empty or foreign PHC string, after the same time as for a real one.
    bool matches(std::string_view password, std::string_view phc);
    /// Made with another cost: hash it again at the next login.
    bool is_outdated(std::string_view phc) const;

private:
    class Turn;
    const ScryptCost cost_;
    std::mutex mutex_;
    std::condition_variable free_;
    int running_ = 0, waiting_ = 0;
};

}  // namespace patchbay
