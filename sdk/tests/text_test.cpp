#include <gtest/gtest.h>

#include <patchbay/text.hpp>

namespace patchbay {
namespace {

TEST(Base64, EncodesTheVectorsOfRfc4648) {
    const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : cases) {
        EXPECT_EQ(to_base64(plain), encoded);
        EXPECT_EQ(from_base64(encoded), plain);
    }
}

TEST(Base64, RefusesWhatHasASecondSpelling) {
    for (const char* bad :
         {"Zg", "Zg=", "Zh==", "Zm9=", "Zg==\n", "Z g==", "=Zg=", "Zm9v====", "Zm-_", "===="}) {
        EXPECT_EQ(from_base64(bad), std::nullopt) << bad;
    }
}

TEST(Base64, HasAnAlphabetForUrlsWithoutPadding) {
    EXPECT_EQ(to_base64url("\xFB\xFF\xFE\x01"), "-__-AQ");
    EXPECT_EQ(from_base64url("-__-AQ"), "\xFB\xFF\xFE\x01");
    for (const char* bad : {"-__-AQ==", "+//+AQ", "A", "-__-AR"})
        EXPECT_EQ(from_base64url(bad), std::nullopt) << bad;
}

TEST(Hex, GoesBothWays) {
    EXPECT_EQ(to_hex(std::string("\0\x7F\xFF", 3)), "007fff");
    EXPECT_EQ(from_hex("007fFF"), std::string("\0\x7F\xFF", 3));
    for (const char* bad : {"0", "0g", " 00", "0x00"})
        EXPECT_EQ(from_hex(bad), std::nullopt) << bad;
}

TEST(PercentEncoding, LeavesOnlyUnreservedCharacters) {
    EXPECT_EQ(percent_encode("az-._~ +/&=%\xC3\xA9"), "az-._~%20%2B%2F%26%3D%25%C3%A9");
    EXPECT_EQ(percent_decode("a%20b+c%c3%A9"), "a b+c\xC3\xA9");
    EXPECT_EQ(percent_decode("a+b", true), "a b");
    for (const char* bad : {"%", "%2", "%2g", "a%"})
        EXPECT_EQ(percent_decode(bad), std::nullopt) << bad;
}

TEST(Utf8, IsToldFromOtherBytes) {
    for (const char* good : {"", "plain", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
                             "\xEE\x80\x80", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
                             "Gr\xC3\xBC\xC3\x9F"
                             "e"})
        EXPECT_TRUE(is_utf8(good)) << to_hex(good);
    for (const char* bad :
         {"\x80", "\xC0\x80", "\xC1\xBF", "\xC2", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xEF\xBF",
          "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xC3"})
        EXPECT_FALSE(is_utf8(bad)) << to_hex(bad);
}

TEST(Text, IsTrimmedAndLoweredWithoutALocale) {
    EXPECT_EQ(trim(" \t a b \r\n"), "a b");
    EXPECT_EQ(trim("  "), "");
    EXPECT_EQ(ascii_lower("X-Hub-\xC3\x84"), "x-hub-\xC3\x84");
}

TEST(Secrets, AreComparedWhole) {
    EXPECT_TRUE(equal_secrets("same", "same"));
    EXPECT_FALSE(equal_secrets("same", "sama"));
    EXPECT_FALSE(equal_secrets("same", "same "));
    EXPECT_TRUE(equal_secrets("", ""));
}

}  // namespace
}  // namespace patchbay
