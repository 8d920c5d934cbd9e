#include "plugins/plugin_slots.hpp"

#include "base/crypto.hpp"
#include "base/log.hpp"

namespace patchbay {
namespace {

constexpr size_t most_errands = 256;

// Generations that a lease did not leave: never freed, since their code may be running. Reachable
// on purpose.
void keep_for_ever(GenerationPtr generation) {
    static std::mutex mutex;
    static auto* const kept = new std::vector<GenerationPtr>;
    const std::lock_guard lock(mutex);
    kept->push_back(std::move(generation));
}

// Where the plugins lie that the hub came with.
std::filesystem::path own_folder() {
    return std::filesystem::read_symlink("/proc/self/exe").parent_path().parent_path() / "plugins";
}

std::vector<std::filesystem::path> folders_of(const HubConfig& config) {
    if (!config.plugin_path.empty()) return config.plugin_path;
    return {own_folder()};
}

std::optional<WebhookFace> face_of(Generation& generation) {
    if (!generation.provides(WebhookHandler::interface_id)) return std::nullopt;
    return WebhookFace{generation.routes(), generation.secrets()};
}

}  // namespace

// What somebody else has written shall not be able to take the hub with it, unless the operator
// says so.
std::string isolation_of(const InstanceConfig& instance, const PluginFile& file) {
    if (instance.isolation != "auto") return instance.isolation;
    std::error_code ignored;
    const bool is_ours =
        file.path.parent_path() == std::filesystem::weakly_canonical(own_folder(), ignored);
    return is_ours ? "none" : "process";
}

std::string digest_of(const PluginFile& file) { return to_hex(sha256(file.content)); }

PluginHost::Impl::Impl(const HubConfig& config, HostServices& offered, std::filesystem::path folder,
                       const Clock* given_clock)
    : folders(folders_of(config)),
      config_file(config.file),
      is_production(config.production()),
      staging(std::move(folder)),
      services(offered),
      clock(given_clock ? *given_clock : system_clock) {
    for (const InstanceConfig& instance : config.plugins) {
        if (!slots.contains(instance.name)) order.push_back(instance.name);
        slots.try_emplace(instance.name, new_slot(instance));
    }
}

PluginHost::Impl::~Impl() {
    for (const auto& [name, slot] : slots) slot->lost->forget_listener();
}

// For people, who can come again: draining may take long, and a waiting caller takes a thread.
std::unique_lock<std::mutex> PluginHost::Impl::take_control() {
    std::unique_lock lock(control, std::try_to_lock);
    if (lock) return lock;
    Error busy(ErrorKind::conflict, "another change of the instances is under way");
    busy.code = reload_running;
    throw busy;
}

SlotPtr PluginHost::Impl::new_slot(const InstanceConfig& instance) {
    const auto too_many_lost = [this, name = instance.name](int64_t generation, const auto& why) {
        errand([this, name, generation, why] { contain(name, generation, why); });
    };
    return std::make_shared<Slot>(instance, too_many_lost);
}

SlotPtr PluginHost::Impl::find(const std::string& instance) const {
    const std::shared_lock lock(slots_mutex);
    const auto found = slots.find(instance);
    return found == slots.end() ? nullptr : found->second;
}

SlotPtr PluginHost::Impl::require(const std::string& instance) const {
    if (SlotPtr slot = find(instance)) return slot;
    throw Error(ErrorKind::not_found, "there is no instance \"" + instance + "\"");
}

std::vector<SlotPtr> PluginHost::Impl::all() const {
    const std::shared_lock lock(slots_mutex);
    std::vector<SlotPtr> list;
    for (const std::string& name : order) list.push_back(slots.at(name));
    return list;
}

PluginFile PluginHost::Impl::file_of(const InstanceConfig& instance) const {
    return find_plugin(folders, instance.plugin);
}

GenerationPtr PluginHost::Impl::load(const PluginFile& file, const InstanceConfig& instance,
                                     int64_t number) {
    // Its own word counts, not its name: a stand-in for a provider sends nothing to anybody.
    if (is_production && (file.stamp.flags & development_only))
        throw Error(ErrorKind::refused, instance.plugin + " is for mode development only");
    const std::string isolation = isolation_of(instance, file);
    // Nobody calls a process that is only looked at, so nobody is told of it.
    const auto changed = [this, name = instance.name] {
        errand([this, name] {
            if (contained && find(name)) contained(name);
        });
    };
    return std::make_shared<Generation>(Generation::Origin{
        file, instance, isolation, config_file, staging, services, clock, number, changed});
}

// Known from here on, whatever becomes of the instance: sends to a channel that could not start are
// kept for it.
void PluginHost::Impl::note_stamp(Slot& slot, const Generation& generation) {
    const PluginStamp& stamp = generation.stamp();
    const std::lock_guard lock(slot.mutex);
    if (slot.current) return;  // That one's stamp counts until the new one is published.
    slot.info.isolation = generation.isolation();
    slot.info.version = stamp.version;
    slot.info.sdk = stamp.sdk();
    slot.info.provides = stamp.provides;
}

// A generation that is created and healthy, not yet published.
GenerationPtr PluginHost::Impl::run(Slot& slot, const InstanceConfig& instance,
                                    const PluginFile& file,
                                    const std::optional<Handover>& handover) {
    int64_t number = 0;
    {
        const std::lock_guard lock(slot.mutex);
        number = ++slot.info.generation;
    }
    if (!slot.running()) slot.seen_digest = digest_of(file);
    GenerationPtr generation = load(file, instance, number);
    note_stamp(slot, *generation);
    try {
        if (life.prepare) life.prepare(instance.plugin, generation->schema());
        generation->create();
        if (handover) generation->import_state(*handover);
        generation->require_health();
        check_webhooks(instance, *generation);
        ask_routes(*generation);
        return generation;
    } catch (...) {
        discard(std::move(generation));
        throw;
    }
}

// One that never served.
void PluginHost::Impl::discard(GenerationPtr generation) {
    generation->drain(milliseconds{0});
    if (generation->end() == Ending::stuck) keep_for_ever(std::move(generation));
}

void PluginHost::Impl::check_webhooks(const InstanceConfig& instance,
                                      Generation& generation) const {
    const auto face = face_of(generation);
    if (!face || !webhook_check) return;
    const std::string why = webhook_check(instance, *face);
    if (!why.empty()) throw Error(ErrorKind::config, why);
}

// The answers are remembered.
void PluginHost::Impl::ask_routes(Generation& generation) {
    if (generation.provides(HttpApi::interface_id)) generation.api_routes();
    if (generation.provides(SocketHandler::interface_id)) generation.socket_routes();
    if (generation.provides(EventHandler::interface_id)) generation.topics();
}

// As run() left them: nothing here calls the plugin.
void PluginHost::Impl::keep_routes(Slot& slot, Generation& generation) {
    std::optional<WebhookFace> face = face_of(generation);
    std::vector<ApiRoute> api_routes;
    std::vector<SocketRoute> socket_routes;
    std::vector<std::string> topics;
    if (generation.provides(HttpApi::interface_id)) api_routes = generation.api_routes();
    if (generation.provides(SocketHandler::interface_id))
        socket_routes = generation.socket_routes();
    if (generation.provides(EventHandler::interface_id)) topics = generation.topics();
    const std::lock_guard lock(slot.mutex);
    slot.face = std::move(face);
    slot.api_routes = std::move(api_routes);
    slot.socket_routes = std::move(socket_routes);
    slot.topics = std::move(topics);
}

// Under the slot's lock, so that nobody is told of two switches in the wrong order.
void PluginHost::Impl::tell_switched(const Slot& slot) const {
    if (life.switched) life.switched(slot.config.name, slot.current ? slot.current->number() : 0);
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
    slot.seen_digest = generation->digest();
    slot.current = std::move(generation);
    tell_switched(slot);
}

// Drains, destroys and unloads one that is published no more.
void PluginHost::Impl::retire(Slot& slot, GenerationPtr generation) {
    if (!generation) return;
    const bool is_drained = generation->drain(slot.config.limits.drain_timeout);
    const Ending ending = is_drained ? generation->end() : Ending::stuck;
    note_ending(slot, std::move(generation), ending);
}

void PluginHost::Impl::note_ending(Slot& slot, GenerationPtr generation, Ending ending) {
    if (ending == Ending::gone) return;
    const std::lock_guard lock(slot.mutex);
    ++(ending == Ending::resident ? slot.info.resident : slot.info.stuck);
    log_error("plugins", "an old copy stays loaded",
              {{"instance", slot.config.name},
               {"generation", std::to_string(generation->number())},
               {"state", std::string(word(ending == Ending::resident ? InstanceState::resident
                                                                     : InstanceState::stuck))},
               {"reason", slot.info.lingering()}});
    if (ending == Ending::stuck) keep_for_ever(std::move(generation));
}

void PluginHost::Impl::note_failure(Slot& slot, const std::exception& error, bool still_serving) {
    const std::lock_guard lock(slot.mutex);
    slot.info.last_error = redact(error.what());
    if (!still_serving) slot.info.state = InstanceState::failed;
    log_error(
        "plugins", "instance could not be started",
        {{"instance", slot.config.name}, {"plugin", slot.config.plugin}, {"reason", error.what()}});
}

void PluginHost::Impl::refuse_too_many(const Slot& slot) const {
    const std::lock_guard lock(slot.mutex);
    if (slot.info.stuck + slot.info.resident < max_lingering) return;
    throw Error(ErrorKind::conflict, "too many old copies are still loaded (" +
                                         slot.info.lingering() +
                                         "): restart the server or use isolation: process");
}

void PluginHost::Impl::replace(Slot& slot, const InstanceConfig& instance) {
    try {
        replace(slot, instance, file_of(instance));
    } catch (const std::exception& error) {
        note_failure(slot, error, slot.running() != nullptr);
        throw;
    }
}

void PluginHost::Impl::replace(Slot& slot, const InstanceConfig& instance, const PluginFile& file) {
    refuse_too_many(slot);
    GenerationPtr old = slot.running();
    if (old && (old->stamp().flags & exclusive))
        return replace_exclusive(slot, instance, file, std::move(old));
    publish(slot, run(slot, instance, file, old ? old->export_state() : std::nullopt), instance);
    if (old) keep_for_a_way_back(slot, *old);
    retire(slot, std::move(old));
}

// The same file again is no way back from itself.
void PluginHost::Impl::keep_for_a_way_back(Slot& slot, const Generation& old) {
    if (old.digest() != slot.running()->digest()) slot.previous = PreviousFile(old);
    slot.previous.begin_anew();
}

// Old out, new in, and nobody is served in between. The old file and configuration come back when
// the new one cannot run.
void PluginHost::Impl::replace_exclusive(Slot& slot, const InstanceConfig& instance,
                                         const PluginFile& file, GenerationPtr old) {
    load(file, instance, 0)->end();  // What can be found out beforehand.
    const InstanceConfig before = slot.config;
    PreviousFile way_back(*old);
    {
        const std::lock_guard lock(slot.mutex);
        slot.gate_closed = true;
        slot.current = nullptr;
        tell_switched(slot);
    }
    const bool is_drained = old->drain(before.limits.drain_timeout);
    const auto handover = is_drained ? old->export_state() : std::nullopt;
    const Ending ending = is_drained ? old->end() : Ending::stuck;
    note_ending(slot, std::move(old), ending);
    std::exception_ptr failure;
    try {
        publish(slot, run(slot, instance, file, handover), instance);
        if (way_back.digest() != slot.running()->digest()) slot.previous = std::move(way_back);
    } catch (...) {
        failure = std::current_exception();
        try {
            publish(slot, run(slot, before, way_back.read(), handover), before);
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

void PluginHost::Impl::go_back(Slot& slot) {
    if (!slot.previous.is_kept())
        throw Error(ErrorKind::conflict,
                    "no other version is kept: there was none, or the one that runs has been "
                    "healthy for 10 minutes");
    const PluginFile on_disk = file_of(slot.config);
    try {
        replace(slot, slot.config, slot.previous.read());
    } catch (const std::exception& error) {
        note_failure(slot, error, slot.running() != nullptr);
        throw;
    }
    // Turned down by a person: the next reload must not come back to it.
    slot.seen_digest = digest_of(on_disk);
}

// A disabled instance still has its webhooks checked and stored, which takes its routes.
void PluginHost::Impl::remember_routes(Slot& slot) {
    try {
        GenerationPtr generation = run(slot, slot.config, file_of(slot.config), std::nullopt);
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
        if (old) tell_switched(slot);
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

void PluginHost::Impl::end_errands() {
    {
        const std::lock_guard lock(errands_mutex);
        has_stopped = true;
    }
    if (errands) errands->stop();
}

// As disable(), but still wanted: what comes for the instance is kept, and people see that
// something is wrong.
void PluginHost::Impl::contain(const std::string& instance, int64_t generation,
                               const std::string& why) {
    {
        const std::lock_guard lock(control);
        const SlotPtr slot = find(instance);
        if (!slot) return;
        {
            const std::lock_guard words(slot->mutex);
            if (!slot->current || slot->current->number() != generation) return;
        }
        stop(*slot);
        const std::lock_guard words(slot->mutex);
        slot->info.state = InstanceState::disabled;
        slot->info.last_error = why;
    }
    log_error("plugins", "instance is switched off", {{"instance", instance}, {"reason", why}});
    if (contained) contained(instance);
}

}  // namespace patchbay
