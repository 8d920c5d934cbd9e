// What every dynamic check starts from: the plugin's file, a configuration, a hub that is played.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "checker/instance.hpp"
#include "plugins/plugin_file.hpp"
#include "provider_double.hpp"
#include "test_services.hpp"

namespace patchbay::checker {

/// The same for all checks of one run.
struct Subject {
    PluginFile file;
    std::filesystem::path staging;  ///< For copies of the library.
    /// A configuration that the plugin should start with; nullopt: none is known.
    std::optional<Labels> config;
    std::string no_config;  ///< Why there is none.
    uint64_t seed = 0;
    /// Whether a copy that stays mapped counts: not where its cause has been told.
    bool judges_unload = true;

    /// Throws Skipped without one.
    const Labels& require_config() const;
    bool provides(std::string_view interface_id) const;
};

/// Every service of the host, and a provider, in this process. What the plugin asks for is
/// remembered.
class PlayedHub {
public:
    HostCall host() {
        return [this](uint32_t method, std::string_view in) { return serve(method, in); };
    }

    ProviderDouble provider;
    TestServices services{provider};

private:
    std::string serve(uint32_t method, std::string_view in);
};

/// create() refused the configuration that it should start with.
struct DoesNotStart {
    std::string text;
};

/// One loaded copy with at most one instance in it.
class Copy {
public:
    explicit Copy(const Subject& subject)
        : subject_(subject), library_(subject.file, subject.staging) {}
    const pb_plugin& entry() const { return library_.entry(); }

    /// Throws DoesNotStart with the plugin's words; Skipped without a configuration, or where the
    /// plugin asks for a service that is not played.
    Instance& start(HostCall host);
    Instance& instance() { return *instance_; }
    /// Destroys and unloads. Throws Failed when it stays mapped, and that counts.
    void end();

private:
    const Subject& subject_;
    Library library_;
    std::unique_ptr<Instance> instance_;
};

/// A dynamic check: returns what it found; throws Failed and Skipped.
using Trial = Verdict (*)(const Subject& subject);

/// By the id of the table.
Trial trial_of(std::string_view id);

Verdict check_load(const Subject&);
Verdict check_describe(const Subject&);
Verdict check_check_config(const Subject&);
Verdict check_create(const Subject&);
Verdict check_empty_config(const Subject&);
Verdict check_lives(const Subject&);
Verdict check_garbage(const Subject&);
Verdict check_webhook_fuzz(const Subject&);
Verdict check_many_threads(const Subject&);
Verdict check_host_refuses(const Subject&);
Verdict check_provider(const Subject&);
Verdict check_canary(const Subject&);
Verdict check_pool_thread(const Subject&);
Verdict check_output(const Subject&);
Verdict check_deadline(const Subject&);
Verdict check_handover(const Subject&);
Verdict check_process_mode(const Subject&);
Verdict check_same_id(const Subject&);
Verdict check_timers(const Subject&);

}  // namespace patchbay::checker
