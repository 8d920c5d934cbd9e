#include "plugins/host_services.hpp"

#include <gtest/gtest.h>

#include <patchbay/detail/methods.hpp>

namespace patchbay {
namespace {

TEST(HostServices, CallsWhatWasRegisteredWithTheCaller) {
    HostServices services;
    services.register_method("clock/1", method::new_id,
                             [](const ServiceCaller& caller, std::string_view in) {
                                 return caller.instance + ":" + std::string(in);
                             });
    EXPECT_EQ(services.call({"sms", "twilio_sms"}, method::new_id, "x"), "sms:x");
    EXPECT_TRUE(services.offers("clock/1"));
    EXPECT_FALSE(services.offers("kv/1"));
    EXPECT_EQ(services.interfaces(), std::set<std::string>{"clock/1"});
}

TEST(HostServices, AnswerUnsupportedToWhatTheyDoNotHave) {  // C5
    const HostServices services;
    for (const uint32_t number : {uint32_t{method::http}, 4711u}) {
        try {
            services.call({}, number, "");
            FAIL() << number;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind, ErrorKind::unsupported);
        }
    }
}

TEST(HostServices, RefuseANumberOfAnotherInterface) {
    HostServices services;
    EXPECT_THROW(services.register_method("kv/1", method::http, {}), std::logic_error);
    EXPECT_THROW(services.register_method("kv/1", 4711, {}), std::logic_error);
}

}  // namespace
}  // namespace patchbay
