#include "plugins/plugin_host.hpp"

#include <sys/stat.h>

#include <map>
#include <mutex>

#include "base/log.hpp"
#include "http/worker_pool.hpp"
#include "plugins/generation.hpp"
#include "plugins/library_plugin.hpp"
#include "plugins/plugin_lease.hpp"

namespace patchbay {
namespace {

using GenerationPtr = std::shared_ptr<Generation>;

constexpr size_t most_errands = 256;

// More copies that will not go than this, and a reload would only add to them.
constexpr int64_t max_lingering = 8;

// Generations that a lease did not leave: never freed, since their code may be running. Reachable
// on purpose.
void keep_for_ever(GenerationPtr generation) {
    static std::mutex mutex;
    static auto* const kept = new std::vector<GenerationPtr>;
    const std::lock_guard lock(mutex);
    kept->push_back(std::move(generation));
}

// Everything about one instance. `current`, the routes and the words are guarded by `mutex`; what
// changes them holds Impl::control too.
struct Slot {
    Slot(InstanceConfig instance, LostThreads::Told too_many_lost)
        : config(std::move(instance)),
          lost(std::make_shared<LostThreads>(std::move(too_many_lost))) {
        info.enabled = config.enabled;
    }

    mutable std::mutex mutex;
    mutable std::condition_variable gate_opened;
    bool gate_closed = false;  // An exclusive plugin is between two generations.
    InstanceConfig config;
    InstanceInfo info;
    GenerationPtr current;
    std::optional<WebhookFace> face;
    std::vector<ApiRoute> api_routes;
    const std::shared_ptr<LostThreads> lost;
};

std::vector<std::filesystem::path> folders_of(const HubConfig& config) {
    if (!config.plugin_path.empty()) return config.plugin_path;
    return {std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() /
            "plugins"};
}

std::optional<WebhookFace> face_of(Generation& generation) {
    if (!generation.provides(WebhookHandler::interface_id)) return std::nullopt;
    return WebhookFace{generation.routes(), generation.secrets()};
}

// Copies that a killed process left behind.
void clear(const std::filesystem::path& staging) {
    std::filesystem::create_directories(staging);
    std::filesystem::permissions(staging, std::filesystem::perms::owner_all);
    for (const auto& entry : std::filesystem::directory_iterator(staging))
        if (entry.path().extension() == ".so") std::filesystem::remove(entry.path());
}

}  // namespace

std::string_view word(InstanceState state) {
    static constexpr std::string_view words[] = {"disabled", "starting", "active",
                                                 "draining", "stopping", "failed",
                                                 "stuck",    "resident", "gone"};
    return words[static_cast<size_t>(state)];
}

struct PluginHost::Impl {
    Impl(const HubConfig& config, HostServices& offered, std::filesystem::path folder)
        : folders(folders_of(config)),
          config_file(config.file),
          is_production(config.production()),
          staging(std::move(folder)),
          services(offered) {
        for (const InstanceConfig& instance : config.plugins) {
            if (!slots.contains(instance.name)) order.push_back(instance.name);
            slots.try_emplace(
                instance.name, std::make_unique<Slot>(instance, [this, name = instance.name](
                                                                    int64_t generation, auto& why) {
                    errand([this, name, generation, why] { contain(name, generation, why); });
                }));
        }
    }
    ~Impl() {
        for (const auto& [name, slot] : slots) slot->lost->forget_listener();
    }

    Slot* find(const std::string& instance) const {
        const auto found = slots.find(instance);
        return found == slots.end() ? nullptr : found->second.get();
    }
    Slot& require(const std::string& instance) const {
        if (Slot* slot = find(instance)) return *slot;
        throw Error(ErrorKind::not_found, "there is no instance \"" + instance + "\"");
    }

    GenerationPtr load(const InstanceConfig& instance, int64_t number) const;
    GenerationPtr run(Slot& slot, const InstanceConfig& instance);
    void check_webhooks(const InstanceConfig& instance, Generation& generation) const;
    void note_stamp(Slot& slot, const PluginStamp& stamp);
    void keep_routes(Slot& slot, Generation& generation);
    void publish(Slot& slot, GenerationPtr generation, const InstanceConfig& instance);
    void retire(Slot& slot, GenerationPtr generation);
    void replace(Slot& slot, const InstanceConfig& instance);
    void replace_exclusive(Slot& slot, const InstanceConfig& instance, GenerationPtr old);
    void note_failure(Slot& slot, const std::exception& error, bool still_serving);
    void remember_routes(Slot& slot);
    void start(Slot& slot);
    void stop(Slot& slot);
    void errand(std::function<void()> work);
    void contain(const std::string& instance, int64_t generation, const std::string& why);

    std::vector<std::filesystem::path> folders;
    std::filesystem::path config_file;
    bool is_production;
    std::filesystem::path staging;
    HostServices& services;
    WebhookCheck webhook_check;
    Contained contained;
    const std::shared_ptr<Watchdog> watchdog = std::make_shared<Watchdog>();
    std::mutex control;  // One change of any instance at a time.
    std::map<std::string, std::unique_ptr<Slot>> slots;
    std::vector<std::string> order;  // As in the file.
    std::mutex errands_mutex;
    bool has_stopped = false;
    std::optional<WorkerPool> errands;  // Last: they use all the rest.
};

GenerationPtr PluginHost::Impl::load(const InstanceConfig& instance, int64_t number) const {
    // Better refused than run less apart than the operator believes.
    if (instance.isolation != "none")
        throw Error(ErrorKind::unsupported,
                    "isolation: " + instance.isolation + " is not available, use none");
    const PluginFile file = find_plugin(folders, instance.plugin);
    // Its own word counts, not its name: a stand-in for a provider sends nothing to anybody.
    if (is_production && (file.stamp.flags & development_only))
        throw Error(ErrorKind::refused, instance.plugin + " is for mode development only");
    return std::make_shared<Generation>(
        Generation::Origin{file, instance, config_file, staging, services, number});
}

// Known from here on, whatever becomes of the instance: sends to a channel that could not start are
// kept for it.
void PluginHost::Impl::note_stamp(Slot& slot, const PluginStamp& stamp) {
    const std::lock_guard lock(slot.mutex);
    if (slot.current) return;  // That one's stamp counts until the new one is published.
    slot.info.version = stamp.version;
    slot.info.sdk = stamp.sdk();
    slot.info.provides = stamp.provides;
}

// A generation that is created and healthy, not yet published.
GenerationPtr PluginHost::Impl::run(Slot& slot, const InstanceConfig& instance) {
    int64_t number = 0;
    {
        const std::lock_guard lock(slot.mutex);
        number = ++slot.info.generation;
    }
    GenerationPtr generation = load(instance, number);
    note_stamp(slot, generation->stamp());
    try {
        generation->create();
        check_webhooks(instance, *generation);
        if (generation->provides(HttpApi::interface_id)) generation->api_routes();
        return generation;
    } catch (...) {
        generation->drain(milliseconds{0});
        generation->end();
        throw;
    }
}

void PluginHost::Impl::check_webhooks(const InstanceConfig& instance,
                                      Generation& generation) const {
    const auto face = face_of(generation);
    if (!face || !webhook_check) return;
    const std::string why = webhook_check(instance, *face);
    if (!why.empty()) throw Error(ErrorKind::config, why);
}

// As run() left them: nothing here calls the plugin.
void PluginHost::Impl::keep_routes(Slot& slot, Generation& generation) {
    std::optional<WebhookFace> face = face_of(generation);
    std::vector<ApiRoute> api_routes;
    if (generation.provides(HttpApi::interface_id)) api_routes = generation.api_routes();
    const std::lock_guard lock(slot.mutex);
    slot.face = std::move(face);
    slot.api_routes = std::move(api_routes);
}

void PluginHost::Impl::publish(Slot& slot, GenerationPtr generation,
                               const InstanceConfig& instance) {
    keep_routes(slot, *generation);
    const std::lock_guard lock(slot.mutex);
    slot.config = instance;
    slot.info.version = generation->stamp().version;
    slot.info.sdk = generation->stamp().sdk();
    slot.info.provides = generation->stamp().provides;
    slot.info.file = generation->path().filename().string();
    slot.info.last_error.clear();
    slot.info.state = InstanceState::active;
    log_info("plugins", "instance is active",
             {{"instance", instance.name},
              {"plugin", instance.plugin},
              {"version", slot.info.version},
              {"generation", std::to_string(generation->number())}});
    slot.current = std::move(generation);
}

// Drains, destroys and unloads one that is published no more.
void PluginHost::Impl::retire(Slot& slot, GenerationPtr generation) {
    if (!generation) return;
    const milliseconds timeout = slot.config.limits.drain_timeout;
    const Ending ending = generation->drain(timeout) ? generation->end() : Ending::stuck;
    const std::lock_guard lock(slot.mutex);
    if (ending == Ending::resident) ++slot.info.resident;
    if (ending == Ending::stuck) {
        ++slot.info.stuck;
        log_error("plugins", "a call did not end: the old copy stays loaded",
                  {{"instance", slot.config.name}});
        keep_for_ever(std::move(generation));
    }
}

void PluginHost::Impl::note_failure(Slot& slot, const std::exception& error, bool still_serving) {
    const std::lock_guard lock(slot.mutex);
    slot.info.last_error = redact(error.what());
    if (!still_serving) slot.info.state = InstanceState::failed;
    log_error(
        "plugins", "instance could not be started",
        {{"instance", slot.config.name}, {"plugin", slot.config.plugin}, {"reason", error.what()}});
}

void PluginHost::Impl::replace(Slot& slot, const InstanceConfig& instance) {
    GenerationPtr old;
    {
        const std::lock_guard lock(slot.mutex);
        if (slot.info.stuck + slot.info.resident >= max_lingering)
            throw Error(ErrorKind::conflict,
                        "too many old copies are still loaded: restart the server or use "
                        "isolation: process");
        old = slot.current;
    }
    try {
        if (old && (old->stamp().flags & exclusive))
            return replace_exclusive(slot, instance, std::move(old));
        publish(slot, run(slot, instance), instance);
    } catch (const std::exception& error) {
        note_failure(slot, error, old != nullptr);
        throw;
    }
    retire(slot, std::move(old));
}

// Old out, new in, and nobody is served in between. The old configuration comes back when the new
// one cannot run.
void PluginHost::Impl::replace_exclusive(Slot& slot, const InstanceConfig& instance,
                                         GenerationPtr old) {
    load(instance, 0)->end();  // What can be found out beforehand.
    const InstanceConfig before = slot.config;
    {
        const std::lock_guard lock(slot.mutex);
        slot.gate_closed = true;
        slot.current = nullptr;
    }
    retire(slot, std::move(old));
    std::exception_ptr failure;
    try {
        publish(slot, run(slot, instance), instance);
    } catch (...) {
        failure = std::current_exception();
        try {
            publish(slot, run(slot, before), before);
        } catch (const std::exception& error) {
            note_failure(slot, error, false);
        }
    }
    {
        const std::lock_guard lock(slot.mutex);
        slot.gate_closed = false;
    }
    slot.gate_opened.notify_all();
    if (failure) std::rethrow_exception(failure);
}

// A disabled instance still has its webhooks checked and stored, which takes its routes.
void PluginHost::Impl::remember_routes(Slot& slot) {
    try {
        GenerationPtr generation = run(slot, slot.config);
        keep_routes(slot, *generation);
        retire(slot, std::move(generation));
    } catch (const std::exception& error) {
        const std::lock_guard lock(slot.mutex);
        slot.info.last_error = redact(error.what());
        log_warn("plugins", "disabled instance could not tell its routes",
                 {{"instance", slot.config.name}, {"reason", error.what()}});
    }
}

void PluginHost::Impl::start(Slot& slot) {
    if (!slot.info.enabled) {
        remember_routes(slot);
        const std::lock_guard lock(slot.mutex);
        slot.info.state = InstanceState::disabled;
        return;
    }
    try {
        replace(slot, slot.config);
    } catch (const std::exception&) {  // Kept with its reason; the others go on.
    }
}

void PluginHost::Impl::stop(Slot& slot) {
    GenerationPtr old;
    {
        const std::lock_guard lock(slot.mutex);
        old = std::exchange(slot.current, nullptr);
        if (old) slot.info.state = InstanceState::draining;
    }
    if (!old) return;
    const int64_t stuck = slot.info.stuck, resident = slot.info.resident;
    retire(slot, std::move(old));
    const std::lock_guard lock(slot.mutex);
    slot.info.state = slot.info.stuck > stuck         ? InstanceState::stuck
                      : slot.info.resident > resident ? InstanceState::resident
                                                      : InstanceState::gone;
}

// For the watchdog, which must not wait.
void PluginHost::Impl::errand(std::function<void()> work) {
    const std::lock_guard lock(errands_mutex);
    if (has_stopped) return;
    if (!errands) errands.emplace("plugin-errands", 1, most_errands);
    errands->post(std::move(work));
}

// As disable(), but still wanted: what comes for the instance is kept, and people see that
// something is wrong.
void PluginHost::Impl::contain(const std::string& instance, int64_t generation,
                               const std::string& why) {
    {
        const std::lock_guard lock(control);
        Slot& slot = require(instance);
        {
            const std::lock_guard words(slot.mutex);
            if (!slot.current || slot.current->number() != generation) return;
        }
        stop(slot);
        const std::lock_guard words(slot.mutex);
        slot.info.state = InstanceState::disabled;
        slot.info.last_error = why;
    }
    log_error("plugins", "instance is switched off", {{"instance", instance}, {"reason", why}});
    if (contained) contained(instance);
}

PluginHost::PluginHost(const HubConfig& config, HostServices& services,
                       std::filesystem::path staging)
    : impl_(std::make_unique<Impl>(config, services, std::move(staging))) {}

PluginHost::~PluginHost() { stop(); }

void PluginHost::check_webhooks_with(WebhookCheck check) {
    impl_->webhook_check = std::move(check);
}

void PluginHost::on_contained(Contained listener) { impl_->contained = std::move(listener); }

void PluginHost::start() {
    const std::lock_guard lock(impl_->control);
    clear(impl_->staging);
    for (const std::string& name : impl_->order) impl_->start(*impl_->slots.at(name));
}

void PluginHost::stop() {
    {
        const std::lock_guard lock(impl_->errands_mutex);
        impl_->has_stopped = true;
    }
    if (impl_->errands) impl_->errands->stop();
    const std::lock_guard lock(impl_->control);
    for (auto name = impl_->order.rbegin(); name != impl_->order.rend(); ++name)
        impl_->stop(*impl_->slots.at(*name));
}

PluginLeasePtr PluginHost::lease(const std::string& instance) const {
    Slot* slot = impl_->find(instance);
    if (!slot) return nullptr;
    // Once more when the generation was replaced between the two steps.
    for (int tries = 0; tries < 3; ++tries) {
        GenerationPtr generation;
        {
            std::unique_lock lock(slot->mutex);
            slot->gate_opened.wait_for(lock, gate_wait, [&] { return !slot->gate_closed; });
            generation = slot->current;
        }
        if (!generation) return nullptr;
        if (auto lease = lease_of(std::move(generation), {impl_->watchdog, slot->lost}))
            return lease;
    }
    return nullptr;
}

std::optional<InstanceInfo> PluginHost::find(const std::string& instance) const {
    const Slot* slot = impl_->find(instance);
    if (!slot) return std::nullopt;
    const std::lock_guard lock(slot->mutex);
    InstanceInfo info = slot->info;
    info.instance = slot->config.name;
    info.plugin = slot->config.plugin;
    info.isolation = slot->config.isolation;
    info.leases = slot->current ? slot->current->leases() : 0;
    info.lost_threads = slot->lost->hanging();
    return info;
}

std::vector<InstanceInfo> PluginHost::list() const {
    std::vector<InstanceInfo> all;
    for (const std::string& name : impl_->order) all.push_back(*find(name));
    return all;
}

void PluginHost::reload(const std::string& instance) {
    const std::lock_guard lock(impl_->control);
    Slot& slot = impl_->require(instance);
    impl_->replace(slot, slot.config);
}

void PluginHost::reload(const InstanceConfig& config) {
    const std::lock_guard lock(impl_->control);
    impl_->replace(impl_->require(config.name), config);
}

void PluginHost::enable(const std::string& instance) {
    const std::lock_guard lock(impl_->control);
    Slot& slot = impl_->require(instance);
    if (!slot.current) impl_->replace(slot, slot.config);
    const std::lock_guard words(slot.mutex);
    slot.info.enabled = true;
}

void PluginHost::disable(const std::string& instance) {
    const std::lock_guard lock(impl_->control);
    Slot& slot = impl_->require(instance);
    impl_->stop(slot);
    const std::lock_guard words(slot.mutex);
    slot.info.enabled = false;
    slot.info.state = InstanceState::disabled;
}

std::optional<WebhookFace> PluginHost::webhooks(const std::string& instance) const {
    const Slot* slot = impl_->find(instance);
    if (!slot) return std::nullopt;
    const std::lock_guard lock(slot->mutex);
    return slot->face;
}

std::vector<ApiRoute> PluginHost::api_routes(const std::string& instance) const {
    const Slot* slot = impl_->find(instance);
    if (!slot) return {};
    const std::lock_guard lock(slot->mutex);
    return slot->api_routes;
}

std::string WebhookFace::secret(const std::string& key) const {
    const auto found = secrets.find(key);
    return found == secrets.end() ? std::string{} : found->second;
}

std::vector<ConfigProblem> PluginHost::check(const InstanceConfig& config) const {
    const std::lock_guard lock(impl_->control);
    std::filesystem::create_directories(impl_->staging);
    try {
        impl_->load(config, 0)->end();
        return {};
    } catch (const ConfigError& error) {
        return error.problems;
    }
}

detail::Schema PluginHost::schema(const std::string& plugin) const {
    const std::lock_guard lock(impl_->control);
    std::filesystem::create_directories(impl_->staging);
    const PluginFile file = find_plugin(impl_->folders, plugin);
    check_stamp(file.stamp, plugin);
    LibraryPlugin library(file, impl_->staging, plugin, {});
    detail::Schema schema;
    try {
        wire::unpack(library.describe(), wire::Text::checked, schema);
    } catch (...) {
        library.end();
        throw;
    }
    library.end();
    return schema;
}

}  // namespace patchbay
