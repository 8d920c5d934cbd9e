#include "code_provider.hpp"

#include "local_codes.hpp"
#include "twilio_codes.hpp"

namespace patchbay::twilio_sms {

std::unique_ptr<CodeProvider> make_code_provider(const Config& config, const Host& host,
                                                 const std::string& key) {
    if (config.verify.provider == "twilio") return std::make_unique<TwilioCodes>(config, host);
    return std::make_unique<LocalCodes>(config, host, key);
}

}  // namespace patchbay::twilio_sms
