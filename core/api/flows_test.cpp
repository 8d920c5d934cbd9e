// Flows and templates, as they are shown where no server runs; steps need one (end-to-end).
#include "api/test_api.hpp"

namespace patchbay {
namespace {

const Statement test_template{
    "test.template",
    "INSERT INTO templates(id,name,language,channel,body,fields,retired_at,created_at,updated_at) "
    "VALUES($1,$2,'en',$3,'Hi {{1}}','[\"name\"]',$4,1000,2000)"};

class FlowsApi : public ApiTest {
protected:
    FlowsApi() { config_.plugins[0].flow = "whatsapp"; }
    std::string viewer_ = token_for("viewer");
    std::string run(const std::string& body) {
        return post("/api/v1/flows/whatsapp/dry-run", body, viewer_).text("errors.0.pointer");
    }
};

TEST_F(FlowsApi, ShowWhichChannelsTheyAnswer) {
    const Answer list = get("/api/v1/flows", viewer_);
    ASSERT_EQ(list.count("items"), 1u) << list.response.body;
    EXPECT_EQ(list.text("items.0.name"), "whatsapp");
    EXPECT_EQ(list.text("items.0.channels.0"), "sms");
    EXPECT_EQ(get("/api/v1/flows/whatsapp", viewer_).text("state"), "not_running");
    EXPECT_EQ(get("/api/v1/flows/sms", viewer_).text("code"), "unknown_id");
}

TEST_F(FlowsApi, RefuseADryRunThatSaysNothing) {
    EXPECT_EQ(run("{}"), "/messages");
    EXPECT_EQ(run(R"({"messages":[]})"), "/messages");
    EXPECT_EQ(run(R"({"messages":["a",1]})"), "/messages/1");
    EXPECT_EQ(run(R"({"messages":["a"],"stay":1})"), "/stay");
    EXPECT_EQ(run(R"({"messages":["a"],"colour":"red"})"), "/colour");
    const Answer off = post("/api/v1/flows/whatsapp/dry-run", R"({"messages":["a"]})", viewer_);
    EXPECT_EQ(off.text("code"), "channel_unavailable");
    EXPECT_EQ(post("/api/v1/flows/none/dry-run", R"({"messages":["a"]})", viewer_).status(), 404);
    EXPECT_EQ(get("/api/v1/flows", "").status(), 401);
}

TEST_F(FlowsApi, TemplatesThatAreNotRetired) {
    const auto add = [&](const std::string& name, const std::string& channel, Value retired) {
        store_.write([&](Transaction& tx) {
            tx.run(test_template, {ids_.uuid(), name, channel, retired});
        });
    };
    add("welcome", "", {});
    add("code", "sms", {});
    add("old", "sms", int64_t{1});
    const Answer all = get("/api/v1/templates", viewer_);
    ASSERT_EQ(all.count("items"), 2u) << all.response.body;
    EXPECT_EQ(all.text("items.0.name"), "code");
    EXPECT_EQ(all.text("items.0.channel"), "sms");
    EXPECT_EQ(all.text("items.1.name"), "welcome");
    EXPECT_EQ(all.text("items.1.channel"), "") << "of all channels";
    EXPECT_EQ(all.text("items.1.fields.0"), "name");
    EXPECT_EQ(get("/api/v1/templates?channel=whatsapp", viewer_).count("items"), 1u);
    EXPECT_EQ(get("/api/v1/templates?name=code", viewer_).count("items"), 1u);
    const Answer first = get("/api/v1/templates?limit=1", viewer_);
    const Answer second = get("/api/v1/templates?limit=1&cursor=" + first.text("next"), viewer_);
    EXPECT_EQ(second.text("items.0.name"), "welcome");
    EXPECT_EQ(second.text("next"), "");
}

}  // namespace
}  // namespace patchbay
