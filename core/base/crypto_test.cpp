#include "base/crypto.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace patchbay {
namespace {

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        char pair[3];
        std::snprintf(pair, sizeof pair, "%02x", static_cast<unsigned char>(c));
        out += pair;
    }
    return out;
}

}  // namespace

// FIPS 180-2, appendix B.1.
TEST(Crypto, HashesAsTheStandardSays) {
    EXPECT_EQ(hex(sha256("abc")),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// RFC 2202 case 2 and RFC 4231 case 2.
TEST(Crypto, MakesTheMacsOfTheRfcs) {
    EXPECT_EQ(hex(hmac_sha1("Jefe", "what do ya want for nothing?")),
              "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

// RFC 7914 section 12, third vector.
TEST(Crypto, DerivesTheKeyOfTheScryptRfc) {
    EXPECT_EQ(hex(scrypt("pleaseletmein", "SodiumChloride", 14, 8, 1, 64)),
              "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
              "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887");
}

TEST(Crypto, AcceptsTheCostOfS60) {
    EXPECT_EQ(scrypt("correct horse battery", "0123456789abcdef", 15, 8, 3, 32).size(), 32u);
}

TEST(Crypto, ComparesWholeTexts_S46) {
    EXPECT_TRUE(equal_constant_time("abc", "abc"));
    EXPECT_FALSE(equal_constant_time("abc", "abd"));
    EXPECT_FALSE(equal_constant_time("abc", "ab"));
    EXPECT_TRUE(equal_constant_time("", ""));
}

TEST(Crypto, GivesOtherBytesEachTime) {
    EXPECT_EQ(random_bytes(16).size(), 16u);
    EXPECT_NE(random_bytes(16), random_bytes(16));
}

}  // namespace patchbay
