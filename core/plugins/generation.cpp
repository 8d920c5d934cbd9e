#include "plugins/generation.hpp"

#include <algorithm>
#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/sink.hpp>

#include "base/abandonable.hpp"
#include "base/crypto.hpp"
#include "base/log.hpp"
#include "plugins/schema_check.hpp"

namespace patchbay {
namespace {

// What the plugin says it cannot do without and the hub does not have.
void check_needs(const PluginStamp& stamp, const HostServices& services) {
    std::string missing;
    for (const std::string& need : stamp.needs)
        if (!services.offers(need)) missing += (missing.empty() ? "" : ", ") + need;
    if (!missing.empty())
        throw Error(ErrorKind::refused,
                    "the plugin needs " + missing + ", which this hub does not have");
}

}  // namespace

Generation::Generation(const Origin& origin)
    : stamp_(origin.file.stamp),
      path_(origin.file.path),
      digest_(to_hex(sha256(origin.file.content))),
      caller_{origin.instance.name, origin.instance.plugin, origin.number},
      isolation_(origin.isolation),
      services_(origin.services),
      number_(origin.number),
      config_(wire::pack(origin.instance.config)) {
    check_stamp(stamp_, origin.instance.plugin);
    check_needs(stamp_, services_);
    plugin_ = load_plugin(
        isolation_, {origin.file, origin.instance, origin.staging, origin.clock,
                     [this](uint32_t method, std::string_view in) { return serve(method, in); },
                     origin.changed});
    try {
        describe();
        secrets_ = secrets_of(schema_, origin.instance);
        for (const auto& [key, value] : secrets_) register_secret(value);
        check_config(origin.instance, origin.config_file.string());
    } catch (...) {
        plugin_->end();
        throw;
    }
}

Generation::~Generation() = default;

void Generation::describe() { wire::unpack(plugin_->describe(), wire::Text::checked, schema_); }

void Generation::check_config(const InstanceConfig& instance, const std::string& file) {
    std::vector<ConfigProblem> problems = check_against_schema(schema_, instance, file);
    try {
        plugin_->check_config(wire::pack(instance.config));
    } catch (const detail::ConfigProblems& own) {
        for (auto& one : problems_of_plugin(own.problems, instance, file, problems))
            problems.push_back(std::move(one));
    }
    if (!problems.empty()) throw ConfigError(std::move(problems));
}

void Generation::create() {
    plugin_->create(config_);
    is_created_ = true;
    // Here, where a call that hangs holds up nobody else; from now on they are remembered.
    if (provides(Channel::interface_id)) capabilities();
}

std::optional<Handover> Generation::export_state() {
    if (!provides(StateHandover::interface_id)) return std::nullopt;
    try {
        return Handover{stamp_.version, ask<wire::Bytes>(method::export_state).data};
    } catch (const Error& error) {
        log_warn(caller_.instance, "the plugin could not hand over its state",
                 {{"reason", error.what()}});
        return std::nullopt;
    }
}

void Generation::import_state(const Handover& handover) {
    if (!provides(StateHandover::interface_id)) return;
    tell(method::import_state, handover.from_version, wire::Bytes{handover.state});
}

bool Generation::reconfigure(const std::vector<std::string>& changed,
                             const InstanceConfig& instance,
                             const std::filesystem::path& config_file) {
    if (state().condition != LoadedPlugin::Condition::running) return false;
    check_config(instance, config_file.string());
    if (!ask<bool>(method::reconfigure, changed, instance.config)) return false;
    plugin_->reconfigured(wire::pack(instance.config));
    return true;
}

void Generation::require_health() {
    if (!provides(HealthCheck::interface_id)) return;
    const auto health = ask<Health>(method::health, Call{.left = milliseconds{1'000}});
    if (health.state == Health::down)
        throw Error(ErrorKind::unavailable, "the plugin says that it is down: " + health.text);
}

bool Generation::acquire() {
    const std::lock_guard lock(mutex_);
    if (closed_ || state().condition != LoadedPlugin::Condition::running) return false;
    ++leases_;
    return true;
}

void Generation::release() {
    // Notified under the lock: the control thread may end this generation as soon as it has seen
    // zero.
    const std::lock_guard lock(mutex_);
    if (--leases_ <= lost_leases_) returned_.notify_all();
}

void Generation::lease_lost() {
    const std::lock_guard lock(mutex_);
    ++lost_leases_;
    returned_.notify_all();
}

void Generation::lease_found() {
    const std::lock_guard lock(mutex_);
    --lost_leases_;
}

int64_t Generation::leases() const {
    const std::lock_guard lock(mutex_);
    return leases_;
}

bool Generation::drain(milliseconds left) {
    const auto until = std::chrono::steady_clock::now() + left;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    try {
        const bool runs = state().condition == LoadedPlugin::Condition::running;
        if (is_created_ && runs) tell(method::drain, left);
    } catch (const Error& error) {
        log_warn(caller_.instance, "the plugin could not drain", {{"reason", error.what()}});
    }
    std::unique_lock lock(mutex_);
    returned_.wait_until(lock, until, [&] { return leases_ <= lost_leases_; });
    return leases_ == 0 || plugin_->can_end_calls();
}

Ending Generation::end() {
    stopping_ = true;
    if (plugin_->end()) return Ending::gone;
    if (plugin_->is_left_behind()) return Ending::stuck;
    log_warn(caller_.instance, "the library stays mapped after unloading",
             {{"plugin", stamp_.name}});
    return Ending::resident;
}

std::string Generation::serve(uint32_t method, std::string_view in) const {
    if (stopping_) throw Error(ErrorKind::stopping, "the instance is being destroyed");
    if (this_thread_is_lost()) throw Error(ErrorKind::timed_out, "the host has given up this call");
    if (method != method::interfaces) return services_.call(caller_, method, in);
    const std::set<std::string> offered = services_.interfaces();
    return wire::pack(std::vector<std::string>(offered.begin(), offered.end()));
}

bool Generation::provides(std::string_view interface_id) const {
    return std::find(stamp_.provides.begin(), stamp_.provides.end(), interface_id) !=
           stamp_.provides.end();
}

std::string Generation::secret(std::string_view key) const {
    const auto found = secrets_.find(std::string(key));
    return found == secrets_.end() ? std::string{} : found->second;
}

template <class Out>
Out Generation::remembered(uint32_t method, std::optional<Out>& place) {
    {
        const std::lock_guard lock(mutex_);
        if (place) return *place;
    }
    auto asked = ask<Out>(method);
    const std::lock_guard lock(mutex_);
    place = asked;
    return asked;
}

Capabilities Generation::capabilities() { return remembered(method::capabilities, capabilities_); }
std::vector<Route> Generation::routes() { return remembered(method::routes, routes_); }
std::vector<ApiRoute> Generation::api_routes() {
    return remembered(method::api_routes, api_routes_);
}
std::vector<SocketRoute> Generation::socket_routes() {
    return remembered(method::socket_routes, socket_routes_);
}
std::vector<std::string> Generation::topics() { return remembered(method::topics, topics_); }

}  // namespace patchbay
