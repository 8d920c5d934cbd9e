// D09, D10, D12, D14: the plugin beside its host.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <iostream>
#include <latch>
#include <map>
#include <patchbay/detail/methods.hpp>
#include <patchbay/text.hpp>
#include <thread>

#include "base/crypto.hpp"
#include "checker/exercise.hpp"
#include "checker/schema_of.hpp"
#include "checker/trial.hpp"
#include "config/problem.hpp"
#include "plugins/schema_check.hpp"

namespace patchbay::checker {
namespace {

constexpr int callers = 8;
constexpr milliseconds calling_time{300};

// A channel may ask for less than the hub would do at once.
int most_senders(const Subject& subject, Instance& instance) {
    if (!subject.provides(Channel::interface_id)) return callers;
    const auto most = instance.call(method::capabilities).as<Capabilities>().max_concurrency;
    return most == 0 ? callers : static_cast<int>(std::min<uint32_t>(most, callers));
}

bool is_of_channel(const Piece& piece) {
    return std::string_view(method::find(piece.method)->interface_id) == Channel::interface_id;
}

void require_no_foreign(const Piece& piece, const Answer& answer) {
    if (answer.is_foreign())
        throw Failed{piece.name + " answers " + answer.words() + " when the host refuses"};
}

std::string flattened(const LogLine& line) {
    std::string text = line.text;
    for (const auto& [name, value] : line.fields) text += " " + name + "=" + value;
    return text;
}

// Where the secret was seen; empty: nowhere.
std::string place_of(const std::string& secret, PlayedHub& hub, const std::string& errors) {
    const auto has = [&](const std::string& text) {
        return text.find(secret) != std::string::npos;
    };
    const TestServices::Seen seen = hub.services.seen();
    for (const LogLine& line : seen.log)
        if (has(flattened(line))) return "in a log line";
    for (const std::string& label : seen.labels)
        if (has(label)) return "in a metric or its label";
    for (const ProviderRequest& request : hub.provider.requests())
        if (has(request.url)) return "in a URL";
    return has(errors) ? "in an error" : "";
}

// The configuration with other secrets, where the plugin takes them.
Labels with_canaries(const Subject& subject, const Copy& copy, Labels& secrets) {
    Labels config = subject.require_config();
    for (auto& [key, value] : secrets) config[key] = value = "canary" + to_hex(random_bytes(12));
    const std::string encoded = wire::pack(config);
    detail::StringSink error;
    if (copy.entry().check_config(detail::borrow(encoded), error.sink()) == 0) return config;
    for (auto& [key, value] : secrets) {
        value = subject.require_config().at(key);
        if (value.size() < 6)
            throw Skipped{"the sample's \"" + key + "\" is too short to be found"};
    }
    return subject.require_config();
}

// Sends stdout and stderr into a file of its own while it lives.
class CapturedOutput {
public:
    CapturedOutput() : file_(::memfd_create("patchbay-check-output", MFD_CLOEXEC)) {
        flush();
        for (const int number : {STDOUT_FILENO, STDERR_FILENO}) {
            before_[number] = ::fcntl(number, F_DUPFD_CLOEXEC, 3);
            ::dup2(file_, number);
        }
    }
    ~CapturedOutput() {
        restore();
        ::close(file_);
    }
    CapturedOutput(const CapturedOutput&) = delete;
    CapturedOutput& operator=(const CapturedOutput&) = delete;

    /// Ends the capture and gives the first bytes.
    std::string text() {
        restore();
        std::string text(200, '\0');
        const ssize_t count = ::pread(file_, text.data(), text.size(), 0);
        text.resize(static_cast<size_t>(std::max<ssize_t>(0, count)));
        return text;
    }

private:
    static void flush() {
        std::cout.flush();
        std::clog.flush();
        std::fflush(nullptr);
    }
    void restore() {
        flush();
        for (const auto& [number, old] : before_) {
            ::dup2(old, number);
            ::close(old);
        }
        before_.clear();
    }

    int file_;
    std::map<int, int> before_;
};

}  // namespace

Verdict check_many_threads(const Subject& subject) {
    PlayedHub hub;
    Copy copy(subject);
    Instance& instance = copy.start(hub.host());
    const int senders = most_senders(subject, instance);
    std::vector<std::vector<Piece>> calls;
    for (int i = 0; i < callers; ++i) {
        calls.push_back(ordinary_calls(subject, instance, i));
        if (i >= senders) std::erase_if(calls.back(), is_of_channel);
    }
    if (calls.front().empty()) throw Skipped{"it has nothing that the hub calls"};
    std::latch start(callers);
    std::vector<std::thread> threads;
    for (const auto& pieces : calls) {
        threads.emplace_back([&, pieces] {
            start.arrive_and_wait();
            const auto until = std::chrono::steady_clock::now() + calling_time;
            while (std::chrono::steady_clock::now() < until)
                for (const Piece& piece : pieces) instance.call_bytes(piece.method, piece.in);
        });
    }
    for (std::thread& thread : threads) thread.join();
    copy.end();
    return {};
}

Verdict check_host_refuses(const Subject& subject) {
    PlayedHub hub;
    std::vector<Piece> pieces;
    {
        std::atomic<bool> refuses{false};
        Copy copy(subject);
        Instance& instance =
            copy.start([&, host = hub.host()](uint32_t number, std::string_view in) {
                if (refuses) throw Error(ErrorKind::unavailable, "the checker refuses");
                return host(number, in);
            });
        pieces = ordinary_calls(subject, instance);
        refuses = true;
        for (const Piece& piece : pieces)
            require_no_foreign(piece, instance.call_bytes(piece.method, piece.in));
        copy.end();
    }
    for (const ErrorKind kind : {ErrorKind::unavailable, ErrorKind::refused}) {
        Copy copy(subject);
        Instance instance([kind](uint32_t, std::string_view) -> std::string {
            throw Error(kind, "the checker refuses");
        });
        const Answer created = instance.create(copy.entry(), subject.require_config());
        require_no_foreign({"create", 0, ""}, created);
        if (created.ok())
            for (const Piece& piece : pieces)
                require_no_foreign(piece, instance.call_bytes(piece.method, piece.in));
        instance.destroy();
        copy.end();
    }
    return {};
}

Verdict check_canary(const Subject& subject) {
    InstanceConfig sample;
    sample.config = subject.require_config();
    Copy copy(subject);
    Labels secrets = secrets_of(schema_of(copy), sample);
    if (secrets.empty()) throw Skipped{"its configuration has no secret"};
    Subject with_canary = subject;
    with_canary.config = with_canaries(subject, copy, secrets);
    copy.end();

    PlayedHub hub;
    Copy second(with_canary);
    std::string errors;
    exercise(with_canary, second.start(hub.host()), hub, [&](const Piece&, const Answer& answer) {
        errors += answer.error.text + " " + answer.error.code + "\n";
    });
    for (const auto& [key, value] : secrets) {
        const std::string place = place_of(value, hub, errors);
        if (!place.empty()) throw Failed{"\"" + key + "\" is " + place};
    }
    second.end();
    return {};
}

Verdict check_output(const Subject& subject) {
    CapturedOutput output;
    PlayedHub hub;
    Copy copy(subject);
    exercise(subject, copy.start(hub.host()), hub);
    copy.end();
    const std::string text = output.text();
    if (!text.empty()) throw Failed{"it writes " + in_quotes(text)};
    return {};
}

}  // namespace patchbay::checker
