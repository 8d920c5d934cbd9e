// The product's endpoints for codes that prove that a phone is somebody's (S4).
//   POST /api/sms/verify/start/   {"to_phone", "channel", "locale", "end_user_ip"}
//   POST /api/sms/verify/check/   {"to_phone", "code"}
#pragma once
#include <patchbay/sdk.hpp>
#include <string_view>
#include <vector>

#include "verification.hpp"

namespace patchbay::twilio_sms {

/// [any thread]
class VerifyApi {
public:
    /// Both outlive it.
    VerifyApi(const Config& config, const Host& host)
        : config_(config), verification_(config, host) {}

    static bool has(std::string_view route);
    std::vector<ApiRoute> routes() const;
    Response answer(const Call& call, const Request& request);
    /// Degraded while starts are paused somewhere.
    Health health() const;

private:
    Response start(const Call& call, const Request& request);
    Response check(const Call& call, const Request& request);

    const Config& config_;
    Verification verification_;
};

}  // namespace patchbay::twilio_sms
