#include <Poco/JSON/Parser.h>
#include <gtest/gtest.h>

#include <fstream>
#include <patchbay/form.hpp>
#include <sstream>

namespace patchbay {
namespace {

template <class Function>
int refused_with(Function function) {
    try {
        function();
    } catch (const RequestError& error) {
        return error.http_status();
    }
    return 0;
}

TEST(Form, DecodesPlusPercentAndUtf8) {
    const Form form = Form::parse("From=whatsapp%3A%2B1555&Body=Gr%C3%BC%C3%9Fe+dich&Empty=&Bare");
    EXPECT_EQ(form.require("From"), "whatsapp:+1555");
    EXPECT_EQ(form.require("Body"),
              "Gr\xC3\xBC\xC3\x9F"
              "e dich");
    EXPECT_EQ(form.require("Empty"), "");
    EXPECT_EQ(form.require("Bare"), "");
    EXPECT_EQ(form.find("Absent"), std::nullopt);
    EXPECT_EQ(form.value_or("Absent", "else"), "else");
}

TEST(Form, KeepsOrderAndRepeatedNames) {
    const Form form = Form::parse("b=1&a=2&&b=3&");
    const std::vector<Form::Pair> expected = {{"b", "1"}, {"a", "2"}, {"b", "3"}};
    EXPECT_EQ(form.all(), expected);
    EXPECT_EQ(form.values("b"), (std::vector<std::string>{"1", "3"}));
}

TEST(Form, RefusesANameGivenTwiceWhereOneIsExpected) {  // S20
    const Form form = Form::parse("To=1&To=2");
    EXPECT_EQ(refused_with([&] { form.require("To"); }), 400);
    EXPECT_EQ(refused_with([&] { form.value_or("To", ""); }), 400);
}

TEST(Form, NamesTheMissingField) {
    try {
        Form::parse("a=1").require("MessageSid");
        FAIL() << "not refused";
    } catch (const RequestError& error) {
        EXPECT_STREQ(error.what(), "field \"MessageSid\" is missing");
    }
}

TEST(Form, RefusesBrokenBodies) {
    for (const char* bad :
         {"a=%", "a=%2", "a=%zz", "%g1=a", "a=%C3", "a=\xFF", "a=%00", "a=%ED%A0%80"})
        EXPECT_EQ(refused_with([&] { Form::parse(bad); }), 400) << bad;
}

TEST(Form, RefusesMoreFieldsThanItsLimit) {  // S30
    std::string body;
    for (int i = 0; i < 128; ++i) body += "a=1&";
    EXPECT_NO_THROW(Form::parse(body));
    EXPECT_EQ(refused_with([&] { Form::parse(body + "a=1"); }), 413);
}

TEST(Form, EncodesWhatItDecodes) {
    const Form form{
        {"To", "+1 555"}, {"Body", "a=b & c+d 100% #1; /?\r\n\xF0\x9F\x91\x8B"}, {"Empty", ""}};
    EXPECT_EQ(Form{}.add("To", "+1").add_unless_empty("From", "").encode(), "To=%2B1");
    EXPECT_EQ(Form::parse(form.encode()).all(), form.all());
}

TEST(Form, AgreesWithTheVectorsForTwilio) {
    const std::string path = PATCHBAY_SOURCE_DIR "/../shared/contracts/vectors/form-encoding.json";
    std::ifstream file(path);
    if (!file) GTEST_SKIP() << "no vectors beside the project";
    const auto root = Poco::JSON::Parser().parse(file).extract<Poco::JSON::Object::Ptr>();
    for (const auto& item : *root->getArray("cases")) {
        const auto& vector = item.extract<Poco::JSON::Object::Ptr>();
        SCOPED_TRACE(vector->getValue<std::string>("name"));
        Form form;
        for (const auto& pair : *vector->getArray("pairs")) {
            const auto& both = pair.extract<Poco::JSON::Array::Ptr>();
            form.add(both->getElement<std::string>(0), both->getElement<std::string>(1));
        }
        EXPECT_EQ(Form::parse(vector->getValue<std::string>("one_correct_body")).all(), form.all());
        EXPECT_EQ(Form::parse(form.encode()).all(), form.all());
    }
}

}  // namespace
}  // namespace patchbay
