// Uploads, and the links under which they are fetched.
#include "messaging/media.hpp"
#include "api/test_api.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

const std::string png = "\x89PNG\r\n\x1A\n0123456789";

class MediaApi : public ApiTest {
protected:
    MediaApi() {
        context_.blobs = &blobs_;
        context_.media_links = &links_;
    }
    struct File {
        std::string name = "photo.png", type = "image/png", bytes = png, field = "file";
    };
    Answer upload(const File& file, const std::string& token, const std::string& key = {}) {
        const std::string body = "--b\r\nContent-Disposition: form-data; name=\"" + file.field +
                                 "\"; filename=\"" + file.name +
                                 "\"\r\nContent-Type: " + file.type + "\r\n\r\n" + file.bytes +
                                 "\r\n--b--\r\n";
        Call wanted{.method = "POST", .target = "/api/v1/media", .token = token};
        wanted.headers = {{"Content-Type", "multipart/form-data; boundary=b"},
                          {"Content-Length", std::to_string(body.size())}};
        if (!key.empty()) wanted.headers.push_back({"Idempotency-Key", key});
        wanted.raw_body = body;
        return call(wanted);
    }
    Answer upload() { return upload({}, agent_); }
    /// Without a token: the link is all there is.
    Answer fetch(const std::string& url, const std::string& range = {}) {
        const std::string prefix = "https://hub.example";
        EXPECT_TRUE(url.starts_with(prefix)) << url;
        Call wanted{.target = url.substr(prefix.size())};
        if (!range.empty()) wanted.headers.push_back({"Range", range});
        return call(wanted);
    }
    const BlobStore blobs_{folder_ / "media"};
    const MediaLinks links_{sealer_, clock_, "https://hub.example"};
    const std::string agent_ = token_for("agent", {"Reception"});
};

TEST_F(MediaApi, KeepsAFileAndServesItUnderALinkS57) {
    const Answer made = upload();
    ASSERT_EQ(made.status(), 201) << made.response.body;
    EXPECT_EQ(made.text("type"), "image/png");
    EXPECT_EQ(made.text("name"), "photo.png");
    EXPECT_EQ(made.text("bytes"), std::to_string(png.size()));
    const Answer served = fetch(made.text("url"));
    ASSERT_EQ(served.status(), 200);
    EXPECT_EQ(served.response.body, png);
    EXPECT_EQ(served.response.header("content-type"), "image/png");
    EXPECT_EQ(served.response.header("x-content-type-options"), "nosniff");
    EXPECT_EQ(served.response.header("content-security-policy"), "sandbox; default-src 'none'");
    EXPECT_EQ(served.response.header("content-disposition"),
              "inline; filename=\"photo.png\"; filename*=UTF-8''photo.png");
}

TEST_F(MediaApi, NeverShowsWhatIsNoPictureS55) {
    const Answer made =
        upload({.name = "Größe\".html", .type = "text/html", .bytes = "<script>"}, agent_);
    EXPECT_EQ(made.status(), 400) << "a quote in the name is no part of it";
    const Answer page =
        upload({.name = "Größe.html", .type = "text/html", .bytes = "<script>"}, agent_);
    EXPECT_EQ(page.text("type"), "application/octet-stream");
    const Answer served = fetch(page.text("url"));
    EXPECT_EQ(served.response.header("content-type"), "application/octet-stream");
    EXPECT_EQ(served.response.header("content-disposition"),
              "attachment; filename=\"Gr____e.html\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.html");
}

TEST_F(MediaApi, ServesPartsOfAFileS57) {
    const std::string url = upload().text("url");
    struct Case {
        const char* range;
        int status;
        std::string body;
    };
    const size_t size = png.size();
    const Case cases[] = {
        {"bytes=8-11", 206, "0123"},
        {"bytes=8-", 206, "0123456789"},
        {"bytes=-3", 206, "789"},
        {"bytes=-999", 206, png},
        {"bytes=8-999", 206, "0123456789"},
        {"bytes=0-0", 206, png.substr(0, 1)},
        {"bytes=18-", 416, ""},
        {"bytes=-0", 416, ""},
        {"bytes=99-100", 416, ""},
        {"bytes=3-1", 200, png},
        {"bytes=0-1,4-5", 200, png},
        {"bytes=a-b", 200, png},
        {"bytes=-", 200, png},
        {"bytes=99999999999999999999999-", 200, png},
        {"lines=1-2", 200, png},
    };
    for (const auto& [range, status, body] : cases) {
        SCOPED_TRACE(range);
        const Answer answer = fetch(url, range);
        EXPECT_EQ(answer.status(), status);
        if (status != 416) {
            EXPECT_EQ(answer.response.body, body);
        }
    }
    EXPECT_EQ(fetch(url, "bytes=8-11").response.header("content-range"),
              "bytes 8-11/" + std::to_string(size));
    EXPECT_EQ(fetch(url, "bytes=99-").response.header("content-range"),
              "bytes */" + std::to_string(size));
}

TEST_F(MediaApi, LinksEndAndAreForWhoeverStillSignsInS57) {
    const std::string url = upload().text("url");
    EXPECT_EQ(fetch(url + "0").status(), 404);
    const std::string me = get("/api/v1/auth/me", agent_).text("id");
    const std::string owner = token_for("owner");
    call({.method = "PATCH",
          .target = "/api/v1/users/" + me,
          .body = R"({"active":false})",
          .token = owner});
    EXPECT_EQ(fetch(url).status(), 404);
    call({.method = "PATCH",
          .target = "/api/v1/users/" + me,
          .body = R"({"active":true})",
          .token = owner});
    EXPECT_EQ(fetch(url).status(), 200);
    clock_.advance(10min);
    EXPECT_EQ(fetch(url).status(), 404);
}

TEST_F(MediaApi, RefusesWhatIsNoFile) {
    EXPECT_EQ(upload({.field = "photo"}, agent_).text("errors.0.pointer"), "/file");
    EXPECT_EQ(upload({.bytes = ""}, agent_).text("errors.0.code"), "invalid_field");
    EXPECT_EQ(post("/api/v1/media", "{}", agent_).text("code"), "unsupported_media_type");
    EXPECT_EQ(upload({}, token_for("viewer")).status(), 403);
    EXPECT_EQ(upload({}, "").status(), 401);
}

TEST_F(MediaApi, UnderAKeyKeepsAFileOnce_G4) {
    const Answer first = upload({}, agent_, "k1");
    EXPECT_EQ(upload({}, agent_, "k1").text("id"), first.text("id"));
}

TEST_F(MediaApi, GoesWithAMessageByItsId) {
    const std::string file = upload().text("id");
    const std::string conversation = talk({.number = "+15558675310", .department = "Reception"});
    const std::string path = "/api/v1/conversations/" + conversation + "/messages";
    const Answer sent = post(path, R"({"media":[{"id":")" + file + R"("}]})", agent_);
    ASSERT_EQ(sent.status(), 202) << sent.response.body;
    EXPECT_EQ(sent.text("media.0.type"), "image/png");
    EXPECT_EQ(sent.text("media.0.name"), "photo.png");
    const std::string media = sent.text("media.0.id");
    const Answer shown = get("/api/v1/media/" + media, agent_);
    ASSERT_EQ(shown.status(), 200) << shown.response.body;
    EXPECT_EQ(fetch(shown.text("url")).response.body, png);
    EXPECT_EQ(get("/api/v1/media/" + media, token_for("agent", {"Housekeeping"})).status(), 404)
        << "S69: as an unknown one";
    EXPECT_EQ(get("/api/v1/media/none", agent_).status(), 404);
    const Answer unknown =
        post(path, R"({"media":[{"id":"0193a1c2-7b1e-7cc0-8e0f-3a5e8c1d2b4f"}]})", agent_);
    EXPECT_EQ(unknown.status(), 422) << unknown.response.body;
    EXPECT_EQ(unknown.text("code"), "unsupported_media");
}

TEST_F(MediaApi, ForgetsUploadsThatNobodyUsed) {
    const std::string used = upload().text("id"), unused = upload().text("id");
    const std::string conversation = talk({.number = "+15558675310", .department = "Reception"});
    const Answer sent = post("/api/v1/conversations/" + conversation + "/messages",
                             R"({"media":[{"id":")" + used + R"("}]})", agent_);
    const std::string media = sent.text("media.0.id");
    clock_.advance(25h);
    const std::string owner = token_for("owner");
    EXPECT_EQ(upload({}, owner).status(), 201);
    EXPECT_EQ(get("/api/v1/media/" + unused, owner).status(), 404);
    EXPECT_EQ(get("/api/v1/media/" + used, owner).status(), 404);
    const Answer shown = get("/api/v1/media/" + media, owner);
    ASSERT_EQ(shown.status(), 200);
    EXPECT_EQ(fetch(shown.text("url")).response.body, png) << "the message has its own claim";
}

}  // namespace
}  // namespace patchbay
