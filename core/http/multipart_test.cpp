#include "http/multipart.hpp"

#include <gmock/gmock.h>

#include "http/problem.hpp"

namespace patchbay {
namespace {

constexpr std::string_view type = "multipart/form-data; boundary=b";

std::string part(std::string_view headers, std::string_view body) {
    return "--b\r\n" + std::string(headers) + "\r\n" + std::string(body) + "\r\n";
}

std::string field(std::string_view name, std::string_view body) {
    return part("Content-Disposition: form-data; name=\"" + std::string(name) + "\"\r\n", body);
}

/// "fine", or the status and code of the answer.
std::string verdict(std::string_view content_type, std::string_view body) {
    try {
        Multipart::parse(content_type, body);
        return "fine";
    } catch (const Problem& problem) {
        return std::to_string(problem.status) + " " + problem.code;
    }
}

TEST(Multipart, GivesFieldsAndFilesAsTheyCame) {
    const std::string body =
        field("text", "hello") +
        part(
            "content-disposition:form-data; filename=\"caf\xC3\xA9 \\\"1\\\".png\"; "
            "name=file\r\nContent-Type: image/PNG; x=y\r\n",
            std::string("\x89PNG\r\n\0--b", 10)) +
        field("empty", "") + "--b--\r\n";
    const Multipart form = Multipart::parse(type, body);
    ASSERT_EQ(form.all().size(), 3u);
    EXPECT_EQ(form.find("text")->body, "hello");
    EXPECT_FALSE(form.find("text")->filename);
    const MultipartPart& file = *form.find("file");
    EXPECT_EQ(file.filename, "caf\xC3\xA9 \"1\".png");
    EXPECT_EQ(file.content_type, "image/png");
    EXPECT_EQ(file.body, std::string_view("\x89PNG\r\n\0--b", 10));
    EXPECT_EQ(form.find("empty")->body, "");
    EXPECT_EQ(form.find("none"), nullptr);
    EXPECT_EQ(Multipart::parse(type, "--b--\r\n").all().size(), 0u) << "an empty form of a browser";
    EXPECT_EQ(Multipart::parse(type, "--b\r\nContent-Disposition: form-data; name=a\r\n\r\n--b--")
                  .find("a")
                  ->body,
              "")
        << "one line end is enough around an empty body";
}

TEST(Multipart, ReadsTheBoundaryOfItsType) {
    const std::string longest(70, 'x');
    for (const std::string& boundary : {std::string("a b:c"), longest, std::string("'()+_,-./:=?")})
        EXPECT_EQ(
            verdict("Multipart/Form-Data ; Boundary=\"" + boundary + "\"", "--" + boundary + "--"),
            "fine")
            << boundary;
}

struct BadType {
    const char* name;
    std::string type;
};

const BadType bad_types[] = {
    {"no boundary", "multipart/form-data"},
    {"empty boundary", "multipart/form-data; boundary="},
    {"empty quoted boundary", "multipart/form-data; boundary=\"\""},
    {"boundary of 71 bytes", "multipart/form-data; boundary=" + std::string(71, 'x')},
    {"two boundaries", "multipart/form-data; boundary=b; boundary=b"},
    {"boundary that ends in a space", "multipart/form-data; boundary=\"b \""},
    {"boundary with a line end", "multipart/form-data; boundary=\"b\r\n\""},
    {"boundary with a byte above ASCII", "multipart/form-data; boundary=\"b\xC3\xA9\""},
    {"boundary of a star", "multipart/form-data; boundary*=b"},
    {"quote that never ends", "multipart/form-data; boundary=\"b"},
    {"words without a sign between them", "multipart/form-data; charset=x boundary=b"},
};

TEST(Multipart, RefusesABoundaryThatIsNone) {
    for (const auto& [name, content_type] : bad_types)
        EXPECT_EQ(verdict(content_type, "--b--"), "400 invalid_form") << "S34 " << name;
    EXPECT_EQ(verdict("multipart/mixed; boundary=b", "--b--"), "415 unsupported_media_type");
    EXPECT_EQ(verdict("", "--b--"), "415 unsupported_media_type");
}

struct BadBody {
    const char* name;
    std::string body;
};

const std::string named = "Content-Disposition: form-data; name=a\r\n";

const BadBody bad_bodies[] = {
    {"nothing", ""},
    {"another boundary", "--c\r\n" + named + "\r\nx\r\n--c--"},
    {"text before the first part", "hello\r\n--b--"},
    {"line end before the first part", "\r\n--b--"},
    {"text behind the last part", field("a", "x") + "--b--\r\nhello"},
    {"another part behind the last", field("a", "x") + "--b--\r\n" + field("b", "y") + "--b--"},
    {"only the boundary", "--b"},
    {"no closing boundary", field("a", "x")},
    {"half a closing boundary", field("a", "x") + "--b-"},
    {"ends inside the body", "--b\r\n" + named + "\r\nhel"},
    {"ends inside the headers", "--b\r\nContent-Disp"},
    {"ends behind the headers", "--b\r\n" + named + "\r\n"},
    {"bare LF", "--b\nContent-Disposition: form-data; name=a\n\nx\n--b--"},
    {"blanks behind a boundary", "--b \r\n" + named + "\r\nx\r\n--b--"},
    {"boundary that goes on", field("a", "x\r\n--bc")},
    {"no headers", "--b\r\n\r\nx\r\n--b--"},
    {"no disposition", part("Content-Type: text/plain\r\n", "x") + "--b--"},
    {"two dispositions", part(named + named, "x") + "--b--"},
    {"two types", part(named + "Content-Type: a/b\r\nContent-Type: a/b\r\n", "x") + "--b--"},
    {"attachment", part("Content-Disposition: attachment; name=a\r\n", "x") + "--b--"},
    {"no name", part("Content-Disposition: form-data; filename=a\r\n", "x") + "--b--"},
    {"two names", part("Content-Disposition: form-data; name=a; name=b\r\n", "x") + "--b--"},
    {"encoded file name",
     part("Content-Disposition: form-data; name=a; filename*=utf-8''x\r\n", "x") + "--b--"},
    {"name not UTF-8", part("Content-Disposition: form-data; name=\"\xFF\"\r\n", "x") + "--b--"},
    {"name with NUL",
     part(std::string("Content-Disposition: form-data; name=\"\0\"\r\n", 43), "x") + "--b--"},
    {"nested", part(named + "Content-Type: multipart/mixed; boundary=c\r\n", "--c--") + "--b--"},
    {"nested in capitals", part(named + "Content-Type: MULTIPART/MIXED\r\n", "") + "--b--"},
    {"type that is none", part(named + "Content-Type: text\r\n", "x") + "--b--"},
    {"base64", part(named + "Content-Transfer-Encoding: base64\r\n", "eA==") + "--b--"},
    {"folded header", part(named + "X-A: a\r\n b\r\n", "x") + "--b--"},
    {"header without a colon", part(named + "hello\r\n", "x") + "--b--"},
    {"space before the colon", part(named + "X-A : a\r\n", "x") + "--b--"},
    {"CR inside a header", part(named + "X-A: a\rb\r\n", "x") + "--b--"},
    {"headers above 4 KiB", part(named + "X-A: " + std::string(4096, 'x') + "\r\n", "x") + "--b--"},
};

TEST(Multipart, RefusesABodyThatIsNotWellFormed) {
    for (const auto& [name, body] : bad_bodies)
        EXPECT_EQ(verdict(type, body), "400 invalid_form") << "S34 " << name;
}

TEST(Multipart, TakesTwentyPartsAndFourKiBOfHeadersAtMost) {
    std::string body;
    for (size_t i = 0; i < Multipart::max_parts; ++i) body += field("a", "x");
    EXPECT_EQ(verdict(type, body + "--b--"), "fine");
    EXPECT_EQ(verdict(type, body + field("a", "x") + "--b--"), "400 invalid_form") << "S34";
    const size_t room = Multipart::max_part_headers - named.size() - 5;
    const auto with = [&](size_t size) {
        return part(named + "X-A: " + std::string(size, 'x') + "\r\n", "y") + "--b--";
    };
    EXPECT_EQ(verdict(type, with(room)), "fine");
    EXPECT_EQ(verdict(type, with(room + 1)), "400 invalid_form") << "S34";
}

TEST(Multipart, SaysThatAFieldRepeats) {
    const std::string body = field("a", "1") + field("a", "2") + "--b--";
    const Multipart form = Multipart::parse(type, body);
    try {
        form.find("a");
        FAIL() << "one of the two was chosen";
    } catch (const Problem& problem) {
        EXPECT_EQ(problem.status, 400);
        EXPECT_EQ(problem.code, "duplicate_parameter") << "S20";
    }
}

}  // namespace
}  // namespace patchbay
