#include "plugins/plugin_host.hpp"

#include <sys/stat.h>

#include <patchbay/detail/methods.hpp>

#include "base/log.hpp"
#include "plugins/plugin_lease.hpp"
#include "plugins/plugin_slots.hpp"

namespace patchbay {
namespace {

// For a library that is only asked what it is.
std::string no_host(uint32_t, std::string_view) {
    throw Error(ErrorKind::unsupported, "there is no host for describe()");
}

// What became of the process since the generation was published.
void tell_of_process(const LoadedPlugin::State& process, InstanceInfo& info) {
    if (process.condition == LoadedPlugin::Condition::restarting)
        info.state = InstanceState::restarting;
    if (process.condition == LoadedPlugin::Condition::failed) info.state = InstanceState::failed;
    // What the operator tried last is nearer to what is wrong.
    if (info.last_error.empty()) info.last_error = redact(process.reason);
}

InstanceInfo info_of(const Slot& slot) {
    const std::lock_guard lock(slot.mutex);
    InstanceInfo info = slot.info;
    info.instance = slot.config.name;
    info.plugin = slot.config.plugin;
    if (info.isolation.empty()) info.isolation = slot.config.isolation;
    if (slot.current) {
        info.isolation = slot.current->isolation();
        info.leases = slot.current->leases();
        tell_of_process(slot.current->state(), info);
    }
    info.lost_threads = slot.lost->hanging();
    return info;
}

void require_enabled(const Slot& slot) {
    if (!slot.info.enabled)
        throw Error(ErrorKind::conflict, "the instance is disabled: enable it instead");
}

bool is_well(Generation& generation) try {
    generation.require_health();
    return true;
} catch (const std::exception&) {
    return false;
}

// Copies that a killed process left behind.
void clear(const std::filesystem::path& staging) {
    std::filesystem::create_directories(staging);
    std::filesystem::permissions(staging, std::filesystem::perms::owner_all);
    for (const auto& entry : std::filesystem::directory_iterator(staging))
        if (entry.path().extension() == ".so" ||
            entry.path().extension() == PreviousFile::extension)
            std::filesystem::remove(entry.path());
}

}  // namespace

std::string_view word(InstanceState state) {
    static constexpr std::string_view words[] = {"disabled", "starting", "active", "restarting",
                                                 "draining", "stopping", "failed", "stuck",
                                                 "resident", "gone"};
    return words[static_cast<size_t>(state)];
}

PluginHost::PluginHost(const HubConfig& config, HostServices& services,
                       std::filesystem::path staging, const Clock* clock)
    : impl_(std::make_unique<Impl>(config, services, std::move(staging), clock)) {}

PluginHost::~PluginHost() { stop(); }

void PluginHost::check_webhooks_with(WebhookCheck check) {
    impl_->webhook_check = std::move(check);
}

void PluginHost::watch_life_with(LifeWatch watch) { impl_->life = std::move(watch); }

void PluginHost::on_contained(Contained listener) { impl_->contained = std::move(listener); }

void PluginHost::start() {
    const std::lock_guard lock(impl_->control);
    clear(impl_->staging);
    for (const SlotPtr& slot : impl_->all()) impl_->start(*slot);
}

void PluginHost::stop() {
    impl_->end_errands();
    const std::lock_guard lock(impl_->control);
    const std::vector<SlotPtr> all = impl_->all();
    for (auto slot = all.rbegin(); slot != all.rend(); ++slot) impl_->stop(**slot);
}

PluginLeasePtr PluginHost::lease(const std::string& instance) const {
    const SlotPtr slot = impl_->find(instance);
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
    const SlotPtr slot = impl_->find(instance);
    if (!slot) return std::nullopt;
    return info_of(*slot);
}

std::vector<InstanceInfo> PluginHost::list() const {
    std::vector<InstanceInfo> all;
    for (const SlotPtr& slot : impl_->all()) all.push_back(info_of(*slot));
    return all;
}

void PluginHost::reload(const std::string& instance) {
    const auto lock = impl_->take_control();
    const SlotPtr slot = impl_->require(instance);
    require_enabled(*slot);
    impl_->replace(*slot, slot->config);
}

void PluginHost::reload(const InstanceConfig& config) {
    const std::lock_guard lock(impl_->control);
    impl_->replace(*impl_->require(config.name), config);
}

void PluginHost::reload_back(const std::string& instance) {
    const auto lock = impl_->take_control();
    const SlotPtr slot = impl_->require(instance);
    require_enabled(*slot);
    impl_->go_back(*slot);
}

void PluginHost::tend(std::chrono::steady_clock::time_point now) {
    // Not behind a change that takes long: there is time.
    const std::unique_lock lock(impl_->control, std::try_to_lock);
    if (!lock) return;
    for (const SlotPtr& slot : impl_->all()) {
        if (!slot->previous.is_kept() || !slot->previous.is_outlived(now)) continue;
        const GenerationPtr running = slot->running();
        if (running && is_well(*running)) {
            slot->previous.forget();
        } else {
            slot->previous.begin_anew();
        }
    }
}

void PluginHost::enable(const std::string& instance) {
    const auto lock = impl_->take_control();
    const SlotPtr slot = impl_->require(instance);
    const GenerationPtr running = slot->running();
    const bool serves = running && running->state().condition != LoadedPlugin::Condition::failed;
    if (!serves) impl_->replace(*slot, slot->config);
    const std::lock_guard words(slot->mutex);
    slot->info.enabled = true;
}

void PluginHost::disable(const std::string& instance) {
    const auto lock = impl_->take_control();
    const SlotPtr slot = impl_->require(instance);
    impl_->stop(*slot);
    const std::lock_guard words(slot->mutex);
    slot->info.enabled = false;
    slot->info.state = InstanceState::disabled;
}

std::optional<WebhookFace> PluginHost::webhooks(const std::string& instance) const {
    const SlotPtr slot = impl_->find(instance);
    if (!slot) return std::nullopt;
    const std::lock_guard lock(slot->mutex);
    return slot->face;
}

std::vector<ApiRoute> PluginHost::api_routes(const std::string& instance) const {
    const SlotPtr slot = impl_->find(instance);
    if (!slot) return {};
    const std::lock_guard lock(slot->mutex);
    return slot->api_routes;
}

std::vector<SocketRoute> PluginHost::socket_routes(const std::string& instance) const {
    const SlotPtr slot = impl_->find(instance);
    if (!slot) return {};
    const std::lock_guard lock(slot->mutex);
    return slot->socket_routes;
}

std::vector<std::string> PluginHost::topics(const std::string& instance) const {
    const SlotPtr slot = impl_->find(instance);
    if (!slot) return {};
    const std::lock_guard lock(slot->mutex);
    return slot->topics;
}

std::string InstanceInfo::lingering() const {
    const auto copies = [](int64_t count) {
        return std::to_string(count) + (count == 1 ? " old copy" : " old copies");
    };
    std::string text;
    if (stuck > 0) text = copies(stuck) + " with a call that did not end (stuck)";
    if (resident > 0)
        text += (text.empty() ? "" : ", ") + copies(resident) +
                " that did not leave the memory when unloaded (resident)";
    return text;
}

std::string WebhookFace::secret(const std::string& key) const {
    const auto found = secrets.find(key);
    return found == secrets.end() ? std::string{} : found->second;
}

std::vector<ConfigProblem> PluginHost::check(const InstanceConfig& config) const {
    const std::lock_guard lock(impl_->control);
    std::filesystem::create_directories(impl_->staging);
    try {
        impl_->load(impl_->file_of(config), config, 0)->end();
        return {};
    } catch (const ConfigError& error) {
        return error.problems;
    }
}

detail::Schema PluginHost::schema(const std::string& plugin) const {
    for (const SlotPtr& slot : impl_->all()) {
        const GenerationPtr running = slot->running();
        if (running && running->stamp().name == plugin) return running->schema();
    }
    const std::lock_guard lock(impl_->control);
    std::filesystem::create_directories(impl_->staging);
    const PluginFile file = find_plugin(impl_->folders, plugin);
    check_stamp(file.stamp, plugin);
    InstanceConfig instance;
    instance.name = instance.plugin = plugin;
    const auto loaded = load_plugin(isolation_of(instance, file),
                                    {file, instance, impl_->staging, impl_->clock, no_host});
    detail::Schema schema;
    try {
        wire::unpack(loaded->describe(), wire::Text::checked, schema);
    } catch (...) {
        loaded->end();
        throw;
    }
    loaded->end();
    return schema;
}

}  // namespace patchbay
