#include "app/command_line.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "api/api.hpp"
#include "base/json.hpp"
#include "http/server.hpp"
#include "http/stages.hpp"
#include "inbound/signature_scheme.hpp"
#include "store/migrations.hpp"

namespace patchbay {
namespace {

struct Finished {
    int code = 0;
    std::string out, err;
    JsonObject json() const { return parse_json_object(std::string_view(out)); }
};

class CommandLine : public testing::Test {
protected:
    ~CommandLine() override { std::filesystem::remove_all(folder_); }

    void write_config(const std::string& public_url = "http://127.0.0.1:1") {
        std::ofstream(file()) << "server: {listen: 127.0.0.1:1, public_url: \"" + public_url +
                                     "\"}\n"
                                     "plugins:\n"
                                     "  sms:\n"
                                     "    plugin: twilio_sms\n"
                                     "    config:\n"
                                     "      account_sid: AC1\n"
                                     "      auth_token: hush-hush-hush\n"
                                     "      default_from: \"+15005550006\"\n";
    }
    std::string file() const { return folder_ / "hub.yaml"; }

    /// Runs `patchbay ARGUMENTS -c FILE`.
    Finished run(std::vector<std::string> arguments, const std::string& input = "") {
        arguments.insert(arguments.begin(), "patchbay");
        arguments.insert(arguments.end(), {"-c", file()});
        return run_as_is(std::move(arguments), input);
    }
    static Finished run_as_is(std::vector<std::string> arguments, const std::string& input = "") {
        std::vector<char*> pointers;
        for (auto& argument : arguments) pointers.push_back(argument.data());
        std::istringstream in(input);
        std::ostringstream out, err;
        const int code =
            run_command_line(static_cast<int>(pointers.size()), pointers.data(), {in, out, err});
        return {code, out.str(), err.str()};
    }
    Finished add_bo() {
        return run({"user", "add", "--email", "bo@x.org", "--name", "Bo Lind", "--role", "owner",
                    "--password-stdin"},
                   "correct horse battery\n");
    }

    std::filesystem::path folder_ = [] {
        std::string name = testing::TempDir() + "patchbay_cli_XXXXXX";
        return std::filesystem::path{mkdtemp(name.data())};
    }();
};

/// A server with the API on the control socket only, as `serve` has one.
class RunningHub {
public:
    explicit RunningHub(const HubConfig& config, const std::string& listen = "")
        : config_(config),
          server_({.listen = listen,
                   .control_socket = config.state_folder() / "patchbay.sock",
                   .workers = 2},
                  clock_, ids_, router_,
                  {answer_errors, find_route(router_), dispatch, authenticate_api(identity_),
                   authorise(), check_body}) {
        add_api_routes(router_, context_);
    }
    void start() { server_.start(); }
    Router& router() { return router_; }
    uint16_t port() const { return server_.port(); }

private:
    HubConfig config_;
    SystemClock clock_;
    Store store_{{.url = config_.store.url, .base = config_.base}, clock_};
    const bool migrated_ = (store_.migrate("core", core_migrations()), true);
    Ids ids_{clock_};
    Numbers numbers_{store_};
    CurrentConfig current_config_{config_};
    Identity identity_{current_config_, store_, ids_};
    const Sealer sealer_ = sealer_of(config_);
    ApiContext context_{current_config_, store_, identity_, {ids_, numbers_}, sealer_};
    Router router_;
    Server server_;
};

TEST_F(CommandLine, ExplainsItselfAndRefusesWhatItDoesNotKnow) {
    EXPECT_EQ(run_as_is({"patchbay", "--help"}).code, 0);
    EXPECT_NE(run_as_is({"patchbay", "--help"}).out.find("send"), std::string::npos);
    EXPECT_EQ(run_as_is({"patchbay"}).code, 2);
    EXPECT_EQ(run_as_is({"patchbay", "dance"}).code, 2);
    EXPECT_EQ(run_as_is({"patchbay", "send", "--channel", "sms"}).code, 2);
    EXPECT_EQ(run_as_is({"patchbay", "plugin", "list", "--output", "xml"}).code, 2);
}

TEST_F(CommandLine, PrintsEveryMistakeOfTheConfiguration) {
    std::ofstream(file()) << "mode: test\nstore: {ulr: \"sqlite:a.db\"}\n";
    const Finished checked = run({"config", "validate"});
    EXPECT_EQ(checked.code, 1);
    EXPECT_EQ(checked.out, "");
    EXPECT_EQ(checked.err,
              file() + ":1:7: mode: expected \"development\" or \"production\", found \"test\"\n" +
                  file() + ":2:9: store.ulr: unknown key, did you mean \"url\"?\n");
    const Finished json = run({"config", "validate", "--output", "json"});
    EXPECT_EQ(json.code, 1);
    EXPECT_EQ(text_at(json.json(), "valid"), "false");
    EXPECT_EQ(int_at(json.json(), "problems.1.line"), 2);
    EXPECT_EQ(text_at(json.json(), "problems.1.path"), "store.ulr");
}

TEST_F(CommandLine, ShowsTheConfigurationWithoutSecrets) {
    write_config();
    const Finished shown = run({"config", "show"});
    EXPECT_EQ(shown.code, 0) << shown.err;
    EXPECT_NE(shown.out.find("auth_token: \"***\""), std::string::npos) << shown.out;
    EXPECT_EQ(shown.out.find("hush"), std::string::npos);
}

TEST_F(CommandLine, MigratesTheDatabase) {
    write_config();
    const Finished first = run({"db", "migrate"});
    EXPECT_EQ(first.code, 0) << first.err;
    EXPECT_TRUE(first.out.ends_with("the schema is up to date\n")) << first.out;
    EXPECT_TRUE(std::filesystem::exists(folder_ / "var/patchbay.db"));
    EXPECT_EQ(run({"db", "migrate"}).out, "the schema is up to date\n");
}

TEST_F(CommandLine, AddsUsersAndGivesThemTokens) {
    write_config();
    const Finished added = add_bo();
    EXPECT_EQ(added.code, 0) << added.err;
    EXPECT_TRUE(added.out.starts_with("added bo@x.org ")) << added.out;
    EXPECT_EQ(add_bo().code, 3) << "the address is taken";
    const Finished token = run({"token", "--email", "bo@x.org", "--ttl", "1h"});
    EXPECT_EQ(token.code, 0) << token.err;
    EXPECT_EQ(std::count(token.out.begin(), token.out.end(), '.'), 2) << token.out;
    EXPECT_EQ(run({"token", "--email", "no@x.org"}).code, 4);
    const Finished invited = run({"user", "add", "--email", "ann@x.org", "--name", "Ann", "--role",
                                  "agent", "--department", "reception", "--output", "json"});
    EXPECT_EQ(text_at(invited.json(), "departments.0"), "Reception");
    EXPECT_TRUE(text_at(invited.json(), "invite_url").has_value());
    const Finished list = run({"user", "list"});
    EXPECT_NE(list.out.find("bo@x.org"), std::string::npos) << list.out;
    EXPECT_NE(list.out.find("Reception"), std::string::npos) << list.out;
}

TEST_F(CommandLine, QueuesMessagesWhereNoServerRuns) {
    write_config();
    const Finished sent = run({"send", "--channel", "sms", "--to", "+15558675310", "--text", "Hi"});
    EXPECT_EQ(sent.code, 0) << sent.err;
    EXPECT_EQ(sent.out.size(), 37u) << "an id in a line: " << sent.out;
    EXPECT_EQ(sent.err, "no server runs: the message goes out when one is started\n");
    const Finished list = run({"deliveries", "list", "--since", "1h", "--channel", "sms"});
    EXPECT_EQ(list.code, 0) << list.err;
    EXPECT_NE(list.out.find(sent.out.substr(0, 36)), std::string::npos) << list.out;
    EXPECT_NE(list.out.find("ready"), std::string::npos) << list.out;
    EXPECT_EQ(run({"send", "--channel", "sms", "--to", "12", "--text", "Hi"}).code, 3);
    EXPECT_EQ(run({"send", "--channel", "owl", "--to", "+15558675310", "--text", "Hi"}).code, 3);
    EXPECT_EQ(run({"deliveries", "list", "--since", "yesterday"}).code, 2);
    EXPECT_EQ(run({"events", "list", "--output", "json"}).json()->getArray("items")->size(), 0u);
}

TEST_F(CommandLine, TalksToTheRunningServer) {
    write_config();
    const HubConfig config = load_config(file());
    {
        RunningHub hub(config);
        hub.start();
        const Finished sent =
            run({"send", "--channel", "sms", "--to", "+15558675310", "--text", "Hi"});
        EXPECT_EQ(sent.code, 0) << sent.err;
        EXPECT_EQ(sent.err, "") << "the server has the store; nothing else may open it";
        EXPECT_EQ(run({"deliveries", "list", "--output", "json"}).json()->getArray("items")->size(),
                  1u);
        EXPECT_EQ(add_bo().code, 0);
        EXPECT_EQ(run({"token", "--email", "bo@x.org"}).code, 0);
        EXPECT_EQ(run({"plugin", "describe", "sms"}).code, 0);
        EXPECT_EQ(run({"plugin", "describe", "owl"}).code, 4);
        EXPECT_EQ(run({"db", "migrate"}).code, 5) << "the server holds the store";
    }
    EXPECT_EQ(run({"plugin", "list"}).err, "no server runs: this is the configuration\n");
}

TEST_F(CommandLine, PostsSignedWebhooks) {
    write_config();
    RunningHub hub(load_config(file()), "127.0.0.1:0");
    HttpRequest seen;
    const auto hook = [&](const ExchangePtr& exchange) {
        seen = exchange->request();
        exchange->answer({.status = 200});
    };
    for (const char* route : {"message", "status"}) {
        hub.router().add({.name = std::string("hook.") + route,
                          .method = "POST",
                          .path = std::string("/hooks/sms/") + route,
                          .body = BodyKind::form,
                          .roles = {"public"}},
                         hook);
    }
    hub.start();
    const std::string url = "http://127.0.0.1:" + std::to_string(hub.port());
    write_config(url);
    const Finished posted = run({"trigger", "sms.message", "--from", "+15558675310", "--text",
                                 "Hello & bye", "--form", "ProfileName=Ann"});
    EXPECT_EQ(posted.code, 0) << posted.err;
    EXPECT_EQ(posted.out, url + "/hooks/sms/message answered 200\n");
    EXPECT_TRUE(
        twilio_sha1_scheme().matches(seen, {.public_url = url, .secrets = {"hush-hush-hush"}}, 0));
    const Form form = Form::parse(seen.body);
    EXPECT_EQ(form.require("From"), "+15558675310");
    EXPECT_EQ(form.require("To"), "+15005550006");
    EXPECT_EQ(form.require("Body"), "Hello & bye");
    EXPECT_EQ(form.require("ProfileName"), "Ann");
    EXPECT_EQ(form.require("AccountSid"), "AC1");

    EXPECT_EQ(run({"trigger", "sms.status", "--form", "MessageSid=SM1", "--form",
                   "MessageStatus=undelivered"})
                  .code,
              0);
    EXPECT_EQ(Form::parse(seen.body).require("MessageStatus"), "undelivered");
    EXPECT_EQ(run({"trigger", "sms.other"}).code, 4);
    EXPECT_EQ(run({"trigger", "owl.message"}).code, 4);
    EXPECT_EQ(run({"trigger", "sms"}).code, 2);
    EXPECT_EQ(run({"trigger", "sms.message", "--form", "nonsense"}).code, 2);
}

TEST_F(CommandLine, SaysThatNothingAnswers) {
    write_config();
    const Finished posted = run({"trigger", "sms.message", "--text", "Hi"});
    EXPECT_EQ(posted.code, 5);
    EXPECT_NE(posted.err.find("nothing answers at http://127.0.0.1:1/hooks/sms/message"),
              std::string::npos)
        << posted.err;
}

TEST_F(CommandLine, ListsTheFailpoints) {
    EXPECT_EQ(run({"failpoints"}).code, 0);
    EXPECT_TRUE(run({"failpoints", "--output", "json"}).out.starts_with("["));
}

}  // namespace
}  // namespace patchbay
