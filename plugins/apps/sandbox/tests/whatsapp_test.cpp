#include "whatsapp.hpp"

#include <gtest/gtest.h>

namespace patchbay::sandbox {
namespace {

const std::string customer = "whatsapp:+27123456789", sender = "whatsapp:+14155552671";
const std::vector<std::string> senders{"+15005550006", sender};

struct FaultCase {
    const char* name;
    Form form;
    int code;
};

TEST(SandboxWhatsApp, RefusesWhatTwilioRefuses) {
    const std::string long_text(1601, 'x');
    const FaultCase cases[] = {
        {"a text", {{"To", customer}, {"From", sender}, {"Body", "hi"}}, 0},
        {"an id", {{"To", "whatsapp:US.1349"}, {"From", sender}, {"Body", "hi"}}, 0},
        {"a file", {{"To", customer}, {"From", sender}, {"MediaUrl", "https://a/1"}}, 0},
        {"a template",
         {{"To", customer},
          {"From", sender},
          {"ContentSid", "HX1"},
          {"ContentVariables", R"({"1":"a"})"}},
         0},
        {"nobody", {{"From", sender}, {"Body", "hi"}}, 21604},
        {"from nobody", {{"To", customer}, {"Body", "hi"}}, 21603},
        {"two channels", {{"To", customer}, {"From", "+15005550006"}, {"Body", "hi"}}, 21910},
        {"another's sender", {{"To", customer}, {"From", "whatsapp:+1999"}, {"Body", "hi"}}, 63007},
        {"no number", {{"To", "whatsapp:call me"}, {"From", sender}, {"Body", "hi"}}, 21211},
        {"nothing", {{"To", customer}, {"From", sender}}, 21602},
        {"too much", {{"To", customer}, {"From", sender}, {"Body", long_text}}, 21617},
        {"two files",
         {{"To", customer}, {"From", sender}, {"MediaUrl", "a"}, {"MediaUrl", "b"}},
         21623},
        {"no template", {{"To", customer}, {"From", sender}, {"ContentSid", "x"}}, 21655},
        {"variables that are no JSON",
         {{"To", customer}, {"From", sender}, {"ContentSid", "HX1"}, {"ContentVariables", "x"}},
         21656},
    };
    for (const auto& [name, form, code] : cases) {
        SCOPED_TRACE(name);
        const auto fault = whatsapp_fault_in(form, senders);
        EXPECT_EQ(fault ? fault->code : 0, code);
    }
}

TEST(SandboxWhatsApp, TakesEverySenderWhereNoneIsNamed) {
    const Form form{{"To", customer}, {"From", "whatsapp:+1999"}, {"Body", "hi"}};
    EXPECT_FALSE(whatsapp_fault_in(form, {}));
    EXPECT_FALSE(whatsapp_fault_in(form, {"+15005550006"}));
}

TEST(SandboxWhatsApp, ClosesTheWindowADayAfterTheLastMessage) {
    Ledger ledger{1};
    constexpr int64_t noon = 1'795'169'730'000, day = 24 * 3'600'000;
    const Message answer{.from = sender, .to = customer, .created_ms = noon + day + 1};
    EXPECT_FALSE(is_outside_window(ledger, answer)) << "nobody wrote yet";
    ledger.take({.from = customer, .to = sender, .direction = "inbound", .created_ms = noon});
    EXPECT_TRUE(is_outside_window(ledger, answer));
    Message in_a_template = answer;
    in_a_template.content_sid = "HX1";
    EXPECT_FALSE(is_outside_window(ledger, in_a_template));
    ledger.take({.from = customer, .to = sender, .direction = "inbound", .created_ms = noon + day});
    EXPECT_FALSE(is_outside_window(ledger, answer));
}

TEST(SandboxWhatsApp, SaysWhoWritesAsTwilioDoes) {
    Form form;
    add_whatsapp_fields(form, {.from = customer}, "Thabo");
    EXPECT_EQ(form.require("WaId"), "27123456789");
    EXPECT_EQ(form.require("ProfileName"), "Thabo");
    Form hidden;
    add_whatsapp_fields(hidden, {.from = "whatsapp:US.1349"}, "");
    EXPECT_FALSE(hidden.has("WaId"));
    EXPECT_EQ(hidden.require("ExternalUserId"), "whatsapp:US.1349");
}

TEST(SandboxWhatsApp, ReportsAReadMessageAndAClosedWindow) {
    Form read, late;
    add_whatsapp_status(read, {.status = "read"});
    EXPECT_EQ(read.require("EventType"), "READ");
    EXPECT_EQ(read.require("ChannelPrefix"), "whatsapp");
    add_whatsapp_status(late, {.status = "undelivered", .error_code = "63016"});
    EXPECT_TRUE(late.has("ChannelStatusMessage"));
}

}  // namespace
}  // namespace patchbay::sandbox
