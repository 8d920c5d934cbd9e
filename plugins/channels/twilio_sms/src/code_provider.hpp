// Who makes the codes, brings them to the phone and knows the right one: Twilio Verify, or this
// hub.
#pragma once
#include <memory>
#include <optional>
#include <patchbay/sdk.hpp>
#include <string>
#include <twilio/verify.hpp>

#include "config.hpp"

namespace patchbay::twilio_sms {

/// What is kept for one number, under a keyed hash of it. Never a code: of one of our own a salted
/// hash, of Twilio's nothing.
struct NumberRow {
    std::string id{};   ///< Ours, of the verification that began last; empty: none was begun.
    std::string sid{};  ///< Twilio's.
    std::string salt{}, hash{};
    int64_t expires_ms = 0;
    int64_t sent_ms = 0;  ///< When a code was last asked for.
    uint32_t checks = 0;
    bool approved = false;
    std::vector<int64_t> starts{};  ///< Of the last day.
    PATCHBAY_FIELDS {
        v(1, id)(2, sid)(3, salt)(4, hash)(5, expires_ms)(6, sent_ms)(7, checks)(8, approved);
        v(9, starts);
    }
};

struct StartWish {
    std::string to{}, channel{}, locale{};
    std::string address{};  ///< Of the product's user; may be empty.
};

/// [any thread]
class CodeProvider {
public:
    virtual ~CodeProvider() = default;

    /// Whether it can bring a code this way: sms, call, whatsapp.
    virtual bool offers(const std::string& channel) const = 0;
    /// Before the row is stored: a new code for send(), and what the row keeps of it. Empty: the
    /// code is made elsewhere. Touches nothing else; may be asked again.
    virtual std::string prepare(NumberRow& row) const = 0;
    /// `before` is the row as it was before this start.
    virtual twilio::VerifyAnswer send(const Call& call, const StartWish& wish,
                                      const std::string& code, const NumberRow& before) = 0;
    /// Whether the code is the row's. nullopt: only ask() can tell. Takes as long for a wrong code
    /// as for none.
    virtual std::optional<bool> judge(const NumberRow& row, const std::string& code) const = 0;
    virtual twilio::VerifyAnswer ask(const Call& call, const std::string& to,
                                     const std::string& code) = 0;
};

/// By the configuration's `verify.provider`. `key` is the secret of the hashes. All outlive it.
std::unique_ptr<CodeProvider> make_code_provider(const Config& config, const Host& host,
                                                 const std::string& key);

}  // namespace patchbay::twilio_sms
