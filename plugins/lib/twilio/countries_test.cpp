#include "countries.hpp"

#include <gtest/gtest.h>

namespace patchbay::twilio {
namespace {

struct CountryCase {
    const char* phone;
    const char* country;
};

TEST(Countries, KnowsTheCountryOfANumberS70) {
    const CountryCase cases[] = {
        {"+15558675310", "US"},  {"+14165550100", "CA"},   {"+18765550100", "JM"},
        {"+17875550100", "PR"},  {"+4915112345678", "DE"}, {"+4712345678", "NO"},
        {"+4779123456", "SJ"},   {"+447700900123", "GB"},  {"+447797712345", "JE"},
        {"+27123456789", "ZA"},  {"+77012345678", "KZ"},   {"+79161234567", "RU"},
        {"+393471234567", "IT"}, {"+390669812345", "VA"},  {"+3581812345", "AX"},
        {"+358401234567", "FI"}, {"+5999123456", "CW"},    {"+5997123456", "BQ"},
        {"+262639123456", "YT"}, {"+262692123456", "RE"},  {"+38344123456", "XK"},
    };
    for (const auto& [phone, country] : cases) EXPECT_EQ(country_of(phone), country) << phone;
}

TEST(Countries, LeavesNumbersOfNoCountryAloneS70) {
    // Satellites, international premium, personal numbers, premium in North America, nobody's.
    for (const char* phone : {"+881612345678", "+882512345678", "+97912345678", "+447012345678",
                              "+19005550100", "+99912345678", "15558675310", "+", ""}) {
        EXPECT_EQ(country_of(phone), "") << phone;
    }
}

TEST(Countries, KnowsWhichCountriesThereAre) {
    for (const char* code : {"US", "CA", "DE", "NO", "ZA", "XK"}) EXPECT_TRUE(is_country(code));
    for (const char* code : {"", "us", "USA", "ZZ", "+1", "1"}) EXPECT_FALSE(is_country(code));
}

}  // namespace
}  // namespace patchbay::twilio
