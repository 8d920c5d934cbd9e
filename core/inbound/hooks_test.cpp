#include "inbound/hooks.hpp"

#include <gtest/gtest.h>

namespace patchbay {
namespace {

WebhookFace face_of(Route route, Labels secrets) {
    return {{std::move(route)}, std::move(secrets)};
}

std::string why(const WebhookFace& face, const std::string& signatures = "required") {
    return Hooks::why_uncheckable({.name = "door", .signatures = signatures}, face);
}

Route checked_route(Signature scheme, const std::string& header = "") {
    return {.name = "in",
            .signature = scheme,
            .secret = "token",
            .previous_secret = "token_previous",
            .header = header};
}

TEST(Webhooks, CannotBeCheckedWithoutASecret_S45) {
    for (const Signature scheme :
         {Signature::twilio_sha1, Signature::meta_sha256, Signature::standard_webhooks}) {
        SCOPED_TRACE(static_cast<int>(scheme));
        const Route route = checked_route(scheme);
        EXPECT_EQ(why(face_of(route, {{"token", "a secret"}})), "");
        EXPECT_EQ(why(face_of(route, {{"token_previous", "a secret"}})), "");
        for (const Labels& none : {Labels{}, Labels{{"token", ""}}, Labels{{"other", "x"}}}) {
            EXPECT_EQ(why(face_of(route, none)),
                      "webhook \"in\" cannot be checked: its secret \"token\" is missing or "
                      "unusable");
        }
    }
}

TEST(Webhooks, CannotBeCheckedWithASecretThatTheSchemeCannotUse_S45) {
    const Route route = checked_route(Signature::standard_webhooks);
    EXPECT_NE(why(face_of(route, {{"token", "whsec_not base64"}})), "");
    EXPECT_EQ(why(face_of(checked_route(Signature::meta_sha256), {{"token", "whsec_not base64"}})),
              "");
}

TEST(Webhooks, CannotBeCheckedWithoutTheNameOfTheirHeader_S45) {
    const Labels secrets{{"token", "a secret"}};
    EXPECT_NE(why(face_of(checked_route(Signature::shared_header), secrets)), "");
    EXPECT_EQ(why(face_of(checked_route(Signature::shared_header, "X-Key"), secrets)), "");
}

TEST(Webhooks, CannotBeCheckedByASchemeThatIsNotKnownHere_S45) {
    const Route route = checked_route(static_cast<Signature>(99));
    EXPECT_NE(why(face_of(route, {{"token", "a secret"}})), "");
    EXPECT_NE(why(face_of(route, {{"token", "a secret"}}), "off"), "");
}

TEST(Webhooks, NeedNoSecretWhereNobodyChecksOrThePluginDoes_S45) {
    EXPECT_EQ(why(face_of(checked_route(Signature::none), {})), "");
    EXPECT_EQ(why(face_of(checked_route(Signature::custom), {})), "");
    for (const char* signatures : {"observe", "off"})
        EXPECT_EQ(why(face_of(checked_route(Signature::meta_sha256), {}), signatures), "");
}

}  // namespace
}  // namespace patchbay
