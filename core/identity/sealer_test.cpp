#include "identity/sealer.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

const std::string old_key = "0123456789abcdef0123456789abcdef";
const std::string new_key = "fedcba9876543210fedcba9876543210";
const std::string secret = "whsec_abc";

TEST(SealerS81, OpensWhatItSealedForTheSameThingOnly) {
    const Sealer sealer({old_key});
    const std::string sealed = sealer.seal(secret, "webhook:1");
    EXPECT_EQ(sealed.find(secret), std::string::npos);
    EXPECT_EQ(sealer.open(sealed, "webhook:1"), secret);
    EXPECT_EQ(sealer.open(sealed, "webhook:2"), std::nullopt);
    EXPECT_NE(sealer.seal(secret, "webhook:1"), sealed) << "each time another nonce";
    EXPECT_EQ(sealer.open(sealer.seal("", "x"), "x"), "");
}

TEST(SealerS81, OpensUnderAnOldKeyWhileItIsThere) {
    const std::string sealed = Sealer({old_key}).seal(secret, "x");
    EXPECT_EQ(Sealer({new_key, old_key}).open(sealed, "x"), secret);
    EXPECT_EQ(Sealer({new_key}).open(sealed, "x"), std::nullopt);
    EXPECT_THROW(Sealer({}), std::runtime_error);
}

TEST(SealerS81, OpensNothingThatWasChanged) {
    const Sealer sealer({old_key});
    const std::string sealed = sealer.seal(secret, "x");
    for (size_t i = 0; i < sealed.size(); ++i) {
        std::string changed = sealed;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        EXPECT_EQ(sealer.open(changed, "x"), std::nullopt) << i;
        EXPECT_EQ(sealer.open(sealed.substr(0, i), "x"), std::nullopt) << i;
    }
}

TEST(SealerS57, SignsWithTheFirstKeyAndKnowsAll) {
    const std::string signature = Sealer({old_key}).sign("text");
    EXPECT_TRUE(Sealer({new_key, old_key}).is_signed("text", signature));
    EXPECT_FALSE(Sealer({new_key}).is_signed("text", signature));
    EXPECT_FALSE(Sealer({old_key}).is_signed("other", signature));
    EXPECT_FALSE(Sealer({old_key}).is_signed("text", ""));
}

}  // namespace
}  // namespace patchbay
