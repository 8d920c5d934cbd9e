// patchbay demo: the hub with the sandbox, in a folder of its own
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/String.h>

#include <filesystem>
#include <fstream>
#include <ostream>

#include "app/demo_config.hpp"
#include "app/hub_link.hpp"
#include "app/serve.hpp"
#include "app/verbs.hpp"
#include "base/crypto.hpp"

namespace patchbay {
namespace {

constexpr const char* email = "demo@example.org";

/// Removed at the end, unless it is to be kept.
class DemoFolder {
public:
    explicit DemoFolder(bool keep) : keep_(keep) {
        std::string name = std::filesystem::temp_directory_path() / "patchbay-demo-XXXXXX";
        if (!mkdtemp(name.data()))
            throw VerbFailure(exit_code::failed, "no folder can be made: " + name);
        path_ = name;
    }
    ~DemoFolder() {
        std::error_code ignored;
        if (!keep_) std::filesystem::remove_all(path_, ignored);
    }
    DemoFolder(const DemoFolder&) = delete;
    DemoFolder& operator=(const DemoFolder&) = delete;
    std::filesystem::path config_file() const { return path_ / "patchbay.yaml"; }

private:
    bool keep_;
    std::filesystem::path path_;
};

/// The usual port where it is free, so that the address is the one of the documentation.
std::string free_port(uint16_t usual) {
    try {
        const Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", usual));
        return std::to_string(usual);
    } catch (const Poco::Net::NetException&) {
        const Poco::Net::ServerSocket socket(Poco::Net::SocketAddress("127.0.0.1", 0));
        return std::to_string(socket.address().port());
    }
}

HubConfig demo_config(const std::filesystem::path& file) {
    std::string text = development_config;
    Poco::replaceInPlace(text, std::string("127.0.0.1:8000"), "127.0.0.1:" + free_port(8000));
    Poco::replaceInPlace(text, std::string("127.0.0.1:8010"), "127.0.0.1:" + free_port(8010));
    Poco::replaceInPlace(text, std::string("log: {level: info"), std::string("log: {level: warn"));
    std::ofstream out(file);
    out << text;
    out.close();
    if (!out) throw VerbFailure(exit_code::failed, file.string() + " cannot be written");
    return load_config(file);
}

/// Makes the user and returns a bearer token.
std::string add_user(const HubConfig& config, const std::string& password) {
    const auto hub = open_hub(config);
    JsonObject user = make_object();
    user->set("email", email);
    user->set("name", "Demo");
    user->set("role", "owner");
    user->set("departments", make_array());
    user->set("password", password);
    hub->post("/api/v1/users", user);
    const JsonObject token =
        hub->post("/api/v1/users/" + std::string(email) + "/token", make_object());
    return text_at(token, "token").value_or("");
}

void print_next_steps(std::ostream& out, const HubConfig& config) {
    const std::string password = to_hex(random_bytes(8));
    const std::string token = add_user(config, password);
    const std::string patchbay = std::filesystem::read_symlink("/proc/self/exe");
    const std::string options = " -c " + config.file.string();
    out << "\nA text message from a customer, signed as Twilio signs it (in a second terminal):\n"
        << "  " << patchbay << " trigger sms.message" << options
        << " --from +15558675310 --text \"opening hours?\"\n"
        << "\nWhat came in, and what was answered:\n"
        << "  " << patchbay << " events list" << options << "\n"
        << "  " << patchbay << " deliveries list" << options << "\n"
        << "  curl -s -H \"Authorization: Bearer " << token << "\" " << config.server.public_url
        << "/api/v1/conversations\n"
        << "\nThe user " << email << " has the password " << password << "\n"
        << "\nEverything is in " << config.base.string() << std::endl;
}

int demo(const Invocation& run, bool keep) {
    const DemoFolder folder(keep);
    const HubConfig config = demo_config(folder.config_file());
    const int code =
        serve(config, OnHangUp::stop, [&] { print_next_steps(run.streams.out, config); });
    run.streams.out << (keep ? "kept: patchbay serve -c " : "removed ")
                    << (keep ? config.file : config.base).string() << '\n';
    return code;
}

}  // namespace

void add_demo_verb(CLI::App& app, Invocation& run) {
    CLI::App* verb = app.add_subcommand(
        "demo", "Try the hub: a folder of its own, the sandbox instead of a provider, one user");
    const auto keep = std::make_shared<bool>(false);
    verb->add_flag("--keep", *keep, "Do not remove the folder at the end");
    verb->callback([&run, keep] { run.verb = [&run, keep] { return demo(run, *keep); }; });
}

}  // namespace patchbay
