// How often a sign-in may fail (S61).
#pragma once
#include <string>

#include "store/store.hpp"

namespace patchbay {

/// Ten tries of an account and thirty of an address in 15 minutes; one customer's whole /64 of IPv6
/// counts as one address. A try is counted before the password is looked at, so that many at once
/// are no way around it, and given back when it was right. An account that goes on failing waits
/// twice as long each time, a quarter of an hour at most. Whether the account exists plays no part,
/// and who is signed in stays signed in. [any thread]
class LoginLimits {
public:
    LoginLimits(Store& store, const std::string& email, const std::string& address);
    /// Counts a try. Throws Problem rate_limited.
    void take();
    /// The try was no failure.
    void give_back();

private:
    void refuse_until(TimeMs free_at, TimeMs now) const;
    Store& store_;
    std::string account_, strikes_, address_;
    int64_t account_cost_ = 0;
};

}  // namespace patchbay
