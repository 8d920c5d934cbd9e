// The configuration over the API: what runs, and what is wrong with a file or a text.
#include <fstream>

#include "api/test_api.hpp"

namespace patchbay {
namespace {

class ConfigApi : public ApiTest {
protected:
    ConfigApi() {
        config_.file = folder_ / "patchbay.yaml";
        config_.base = folder_;
    }
    void write(const std::string& yaml) { std::ofstream(config_.file) << yaml; }
    /// As JSON string content.
    std::string checks(const std::string& yaml) {
        std::string body = R"({"files":{"patchbay.yaml":)";
        append_json_string(body, yaml);
        return body + "}}";
    }
    std::string owner_ = token_for("owner");
    const std::string path_ = "/api/v1/config/check";
    const std::string good_ = "mode: development\ndepartments: [Reception]\n";
};

TEST_F(ConfigApi, ShowsWhatRunsWithoutItsSecretsS82) {
    const Answer shown = get("/api/v1/config", owner_);
    ASSERT_EQ(shown.status(), 200) << shown.response.body;
    EXPECT_EQ(shown.text("file"), "patchbay.yaml");
    EXPECT_EQ(shown.text("revision"), "0") << "no server runs";
    const std::string yaml = shown.text("yaml");
    EXPECT_NE(yaml.find("\"Housekeeping\""), std::string::npos) << yaml;
    EXPECT_NE(yaml.find("***"), std::string::npos);
    EXPECT_EQ(shown.response.body.find("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(shown.response.body.find(folder_.string()), std::string::npos)
        << "no path of the machine";
}

TEST_F(ConfigApi, ChecksTheFileOnTheDisk) {
    write(good_);
    const Answer good = post(path_, "", owner_);
    ASSERT_EQ(good.status(), 200) << good.response.body;
    EXPECT_EQ(good.text("valid"), "true") << good.response.body;
    EXPECT_EQ(good.count("problems"), 0u);
    write("mode: development\nserver: {liste: \"127.0.0.1:1\"}\n");
    const Answer bad = post(path_, "{}", owner_);
    EXPECT_EQ(bad.status(), 200) << "the check went well: the file did not";
    EXPECT_EQ(bad.text("valid"), "false");
    EXPECT_EQ(bad.text("problems.0.file"), "patchbay.yaml");
    EXPECT_EQ(bad.text("problems.0.line"), "2");
    EXPECT_EQ(bad.text("problems.0.column"), "10");
    EXPECT_EQ(bad.text("problems.0.path"), "server.liste");
    EXPECT_EQ(bad.text("problems.0.severity"), "error");
    EXPECT_NE(bad.text("problems.0.message").find("listen"), std::string::npos);
    EXPECT_EQ(bad.count("plan"), 0u);
}

TEST_F(ConfigApi, ChecksATextInsteadOfTheFile) {
    write("mode: nonsense\n");
    EXPECT_EQ(post(path_, checks(good_), owner_).text("valid"), "true");
    const Answer bad = post(path_, checks("mode: development\ncolour: red\n"), owner_);
    EXPECT_EQ(bad.text("problems.0.path"), "colour");
    EXPECT_EQ(bad.text("problems.0.line"), "2");
}

// A library runs code when it is loaded: whoever sends a text must not choose where from.
TEST_F(ConfigApi, LoadsNoLibraryThatATextNames) {
    config_.plugin_path = {folder_ / "plugins"};
    std::filesystem::create_directory(folder_ / "elsewhere");
    std::ofstream(folder_ / "elsewhere" / "evil.so") << "not a library";
    const Answer answer =
        post(path_, checks("plugin_path: [elsewhere]\nplugins: {one: {plugin: evil}}\n"), owner_);
    EXPECT_EQ(answer.text("valid"), "false");
    EXPECT_NE(answer.response.body.find("no plugin is called"), std::string::npos)
        << answer.response.body;
}

TEST_F(ConfigApi, RefusesWhatItDoesNotKnowS33) {
    const Answer other = post(path_, R"({"files":{"rules.yaml":"x"}})", owner_);
    EXPECT_EQ(other.status(), 422) << other.response.body;
    EXPECT_EQ(other.text("errors.0.pointer"), "/files/patchbay.yaml");
    EXPECT_EQ(other.text("errors.1.pointer"), "/files/rules.yaml");
    EXPECT_EQ(post(path_, R"({"file":"x"})", owner_).text("errors.0.pointer"), "/file");
    EXPECT_EQ(post(path_, R"({"files":[]})", owner_).text("errors.0.code"), "invalid_field");
    EXPECT_EQ(get("/api/v1/config?x=1", owner_).text("code"), "unknown_parameter");
}

TEST_F(ConfigApi, AnswersARepeatUnderItsKeyAlike_G4) {
    write(good_);
    const Answer first = post(path_, "", owner_, "k1");
    write("colour: red\n");
    const Answer second = post(path_, "", owner_, "k1");
    EXPECT_EQ(second.response.body, first.response.body);
    EXPECT_EQ(second.response.header("idempotent-replayed"), "true");
}

/// Plays the server.
class Control final : public ConfigControl {
public:
    int64_t revision() const override { return 12; }
    std::vector<ConfigChange> plan(const HubConfig& wanted) override {
        return {{"", "reconfigure", {"departments"}},
                {"sms", wanted.departments.empty() ? "none" : "replace", {"file"}}};
    }
    ReloadReport reload(std::optional<int64_t> revision, AuditRecord record) override {
        asked.push_back(revision.value_or(0));
        EXPECT_EQ(record.action, "config.reload");
        EXPECT_EQ(record.actor_type, "user");
        return report;
    }
    std::vector<int64_t> asked;
    ReloadReport report{.revision = 13, .plan = {{"sms", "start", {}}}};
};

TEST_F(ConfigApi, PlansWhatAReloadWouldChange_G21) {
    Control control;
    context_.config_control = &control;
    write(good_);
    const Answer answer = post(path_, "", owner_);
    EXPECT_EQ(answer.text("revision"), "12");
    EXPECT_EQ(answer.text("plan.0.instance"), "");
    EXPECT_EQ(answer.text("plan.0.changed.0"), "departments");
    EXPECT_EQ(answer.text("plan.1.instance"), "sms");
    EXPECT_EQ(answer.text("plan.1.action"), "replace");
    write("colour: red\n");
    EXPECT_EQ(post(path_, "", owner_).count("plan"), 0u) << "nothing would be changed";
}

TEST_F(ConfigApi, ReloadsAndSaysWhatCameOfIt_G21_F46) {
    const std::string reload = "/api/v1/config/reload";
    EXPECT_EQ(post(reload, "", owner_).text("code"), "channel_unavailable") << "no server runs";
    Control control;
    context_.config_control = &control;
    const Answer applied = post(reload, "", owner_);
    EXPECT_EQ(applied.status(), 200) << applied.response.body;
    EXPECT_EQ(applied.text("applied"), "true");
    EXPECT_EQ(applied.text("revision"), "13");
    EXPECT_EQ(applied.text("plan.0.action"), "start");
    EXPECT_EQ(post(reload, R"({"revision": 7})", owner_).status(), 200);
    EXPECT_EQ(control.asked, (std::vector<int64_t>{0, 7}));
    EXPECT_EQ(post(reload, R"({"revison": 7})", owner_).text("errors.0.pointer"), "/revison");

    control.report = {.code = "config_invalid",
                      .detail = "The configuration has mistakes.",
                      .revision = 12,
                      .problems = {{.file = "/etc/patchbay.yaml",
                                    .line = 14,
                                    .column = 7,
                                    .path = "plugins.sms.config.acount_sid",
                                    .message = "unknown key"}}};
    const Answer refused = post(reload, "", owner_);
    EXPECT_EQ(refused.status(), 422);
    EXPECT_EQ(refused.text("code"), "config_invalid");
    EXPECT_EQ(refused.text("applied"), "false");
    EXPECT_EQ(refused.text("revision"), "12");
    EXPECT_EQ(refused.text("problems.0.file"), "patchbay.yaml");
    EXPECT_EQ(refused.text("problems.0.line"), "14");
    control.report.code = "restart_needed";
    EXPECT_EQ(post(reload, "", owner_).status(), 409);
    for (const char* role : {"expert", "agent", "viewer"})
        EXPECT_EQ(post(reload, "", token_for(role)).status(), 403) << role;
}

TEST_F(ConfigApi, IsForOwnerAndAdminS69) {
    write(good_);
    for (const char* role : {"owner", "admin", "expert", "agent", "viewer"}) {
        const std::string token = token_for(role);
        const bool in = role == std::string("owner") || role == std::string("admin");
        EXPECT_EQ(get("/api/v1/config", token).status(), in ? 200 : 403) << role;
        EXPECT_EQ(post(path_, "", token).status(), in ? 200 : 403) << role;
    }
    EXPECT_EQ(get("/api/v1/config", "").status(), 401);
}

}  // namespace
}  // namespace patchbay
