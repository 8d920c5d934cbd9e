#include "handshake.hpp"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <patchbay/form.hpp>

namespace patchbay::meta {
namespace {

Request asking(const std::string& query) {
    Request request{.method = "GET", .url = "/hooks/wa/webhook?" + query};
    const Form form = Form::parse(query);
    for (const char* key : {"hub.mode", "hub.challenge", "hub.verify_token"})
        if (const auto value = form.find(key)) request.query[key] = *value;
    return request;
}

TEST(MetaHandshake, AgreesWithEveryVector_S48) {
    const std::filesystem::path file =
        PATCHBAY_SOURCE_DIR "/../shared/contracts/vectors/whatsapp-verification.json";
    if (!std::filesystem::exists(file)) GTEST_SKIP() << "shared vectors are not here";
    std::ifstream in{file};
    const auto document = Poco::JSON::Parser{}.parse(in).extract<Poco::JSON::Object::Ptr>();
    const auto cases = document->getArray("cases");
    ASSERT_EQ(cases->size(), 7u);
    for (size_t i = 0; i < cases->size(); ++i) {
        const auto row = cases->getObject(i);
        const auto name = row->getValue<std::string>("name");
        SCOPED_TRACE(name);
        const Response answer =
            answer_handshake(asking(row->getValue<std::string>("query")),
                             row->getValue<std::string>("configured_verify_token"));
        // The one that Meta would never send: S48 is stricter than the vector.
        const bool strict = name == "challenge with markup";
        EXPECT_EQ(answer.status, strict ? 403 : row->getValue<int>("expect_status"));
        EXPECT_EQ(answer.body, strict || row->isNull("expect_body")
                                   ? ""
                                   : row->getValue<std::string>("expect_body"));
    }
}

TEST(MetaHandshake, EchoesNothingThatCouldBeMore_S48) {
    const auto status = [](const std::string& challenge) {
        return answer_handshake(
                   asking("hub.mode=subscribe&hub.verify_token=t&hub.challenge=" + challenge), "t")
            .status;
    };
    EXPECT_EQ(status(std::string(256, 'a')), 200);
    EXPECT_EQ(status("Aa0_-"), 200);
    EXPECT_EQ(status(std::string(257, 'a')), 403);
    EXPECT_EQ(status(""), 403);
    EXPECT_EQ(status("a%0d%0aSet-Cookie"), 403);
    EXPECT_EQ(status("a.b"), 403);
}

TEST(MetaHandshake, RefusesEverybodyWithoutAConfiguredToken_S45) {
    EXPECT_EQ(
        answer_handshake(asking("hub.mode=subscribe&hub.challenge=1&hub.verify_token="), "").status,
        403);
}

}  // namespace
}  // namespace patchbay::meta
