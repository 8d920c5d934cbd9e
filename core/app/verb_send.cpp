// patchbay send
#include <ostream>
#include <thread>

#include "app/hub_link.hpp"
#include "app/table.hpp"
#include "app/verbs.hpp"
#include "messaging/status.hpp"

namespace patchbay {
namespace {

constexpr std::chrono::milliseconds look_every{200};

struct SendOptions {
    std::string channel, to, text, conversation;
    bool follow = false;
    unsigned timeout_s = 60;
};

JsonObject queue(HubLink& hub, const SendOptions& options) {
    JsonObject body = make_object();
    body->set("channel", options.channel);
    if (!options.to.empty()) body->set("to", options.to);
    if (!options.conversation.empty()) body->set("conversation_id", options.conversation);
    body->set("text", options.text);
    return hub.post("/api/v1/messages", body);
}

std::string status_line(const JsonObject& message) {
    std::string line = text_at(message, "status").value_or("");
    const auto code = text_at(message, "error.code");
    const auto reason = text_at(message, "error.reason");
    if (code) line += " " + *code;
    if (reason) line += " " + *reason;
    return printable(line);
}

/// Prints each new status until nothing more can come but a read receipt.
int follow(const Invocation& run, HubLink& hub, JsonObject message, unsigned timeout_s) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{timeout_s};
    const std::string id = text_at(message, "id").value_or("");
    std::string shown;
    while (true) {
        const std::string line = status_line(message);
        if (line != shown) run.streams.out << line << std::endl;
        shown = line;
        const std::string status = text_at(message, "status").value_or("");
        if (is_final(status)) {
            return status == "delivered" || status == "read" ? exit_code::done : exit_code::refused;
        }
        if (std::chrono::steady_clock::now() >= end) {
            throw VerbFailure(exit_code::unavailable,
                              "still " + status + " after " + std::to_string(timeout_s) + " s");
        }
        std::this_thread::sleep_for(look_every);
        message = hub.get("/api/v1/messages/" + id);
    }
}

int send(const Invocation& run, const SendOptions& options) {
    const auto hub = open_hub(run.config());
    const JsonObject message = queue(*hub, options);
    if (run.json()) {
        print_json(run.streams.out, message);
    } else {
        run.streams.out << text_at(message, "id").value_or("") << std::endl;
    }
    if (!hub->server_runs()) {
        run.streams.err << "no server runs: the message goes out when one is started\n";
        return options.follow ? exit_code::unavailable : exit_code::done;
    }
    return options.follow ? follow(run, *hub, message, options.timeout_s) : exit_code::done;
}

}  // namespace

void add_send_verb(CLI::App& app, Invocation& run) {
    CLI::App* verb = app.add_subcommand("send", "Queue a message and print its id");
    const auto options = std::make_shared<SendOptions>();
    verb->add_option("--channel", options->channel, "Instance that carries it")->required();
    verb->add_option("--to", options->to, "Phone number with country code");
    verb->add_option("--conversation", options->conversation, "Instead of --to: a conversation");
    verb->add_option("--text", options->text, "What to say")->required();
    verb->add_flag("--follow", options->follow, "Print each status until the last");
    verb->add_option("--timeout", options->timeout_s, "Seconds to follow")->capture_default_str();
    verb->callback([&run, options] { run.verb = [&run, options] { return send(run, *options); }; });
}

}  // namespace patchbay
