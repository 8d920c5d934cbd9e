#include "app/hub.hpp"

#include <cstring>

#include "api/change_data.hpp"
#include "api/contact_export.hpp"
#include "api/idempotency.hpp"
#include "api/live_events.hpp"
#include "app/request_pipeline.hpp"
#include "base/crypto.hpp"
#include "base/log.hpp"
#include "base/work_record.hpp"
#include "delivery/messaging_service.hpp"
#include "identity/audit.hpp"
#include "inbound/webhook_service.hpp"
#include "messaging/media.hpp"
#include "plugins/services/basic_services.hpp"
#include "store/migrations.hpp"

namespace patchbay {
namespace {

constexpr unsigned flow_workers = 4;
constexpr unsigned webhook_workers = 4;
// A stop must not wait behind a bulk send.
constexpr unsigned task_workers = 3;

StoreConfig store_config(const HubConfig& config) {
    StoreConfig store;
    store.url = config.store.url;
    store.base = config.base;
    return store;
}

ServerConfig server_config(const HubConfig& config) {
    ServerConfig server;
    server.listen = config.server.listen;
    server.control_socket = config.state_folder() / "patchbay.sock";
    if (config.server.has_tls()) {
        server.tls.certificate = config.absolute(config.server.tls.certificate);
        server.tls.key = config.absolute(config.server.tls.key);
    }
    server.trusted_proxies = config.server.trusted_proxies;
    server.allowed_hosts = config.server.allowed_hosts;
    server.connections = config.server.limits.connections;
    server.connections_per_address = config.server.limits.connections_per_address;
    return server;
}

std::optional<BlobStore> blob_store(const HubConfig& config) {
    const auto folder = config.media_folder();
    if (!folder) return std::nullopt;
    return BlobStore(*folder);
}

// Its number must be known before the first id is made, its schema before that.
uint8_t prepare(Store& store, const WorkerInfo& self, const Hub::Report& report) {
    store.migrate("core", core_migrations(),
                  [&](const std::string& line) { report("store", line); });
    return register_worker(store, self);
}

std::string line_of(const InstanceInfo& instance) {
    std::string line = instance.instance + " (" + instance.plugin;
    if (!instance.version.empty()) line += " " + instance.version;
    line += ") " + std::string{word(instance.state)};
    if (!instance.last_error.empty()) line += ": " + instance.last_error;
    return line;
}

bool provides(const InstanceInfo& instance, std::string_view interface_id) {
    return std::find(instance.provides.begin(), instance.provides.end(), interface_id) !=
           instance.provides.end();
}

}  // namespace

Hub::Hub(const HubConfig& config, Report report)
    : config_(std::make_shared<const HubConfig>(config)),
      report_(std::move(report)),
      store_(store_config(config), clock_),
      self_(this_process(PATCHBAY_VERSION)),
      ids_(clock_, prepare(store_, self_, report_)),
      numbers_(store_),
      tables_(store_),
      plugins_(config, services_, config.state_folder() / "plugins", &clock_),
      timers_(clock_, [this](const std::string& name) { return plugins_.lease(name); }),
      bulk_({.store = store_,
             .mint = mint_,
             .limits = [this](const std::string& name) { return delivery_.limits(name); },
             .wake = [this](const std::string& queue) { delivery_.wake(queue); }}),
      eraser_({.store = store_,
               .remove_file =
                   [this](const std::string& key) {
                       if (blobs_) blobs_->remove(key);
                   }}),
      replayer_({.config = config_,
                 .store = store_,
                 .mint = mint_,
                 .leases = [this](const std::string& name) { return plugins_.lease(name); },
                 .wake = [this](const std::string& queue) { delivery_.wake(queue); }}),
      delivery_(
          store_, ids_, [this](const std::string& name) { return plugins_.lease(name); },
          self_.owner),
      flows_(store_, plugins_, mint_, [this](const std::string& queue) { delivery_.wake(queue); }),
      events_(config_, store_, plugins_, mint_, self_.owner,
              [this](const std::string& queue) { delivery_.wake(queue); }),
      gaps_(
          config_, store_, [this](const std::string& name) { return plugins_.lease(name); }, mint_,
          [this](const std::string& queue) { delivery_.wake(queue); }),
      identity_(config_, store_, ids_),
      realtime_({.store = store_,
                 .sign_in =
                     [this](const std::string& token) { return caller_by_token(identity_, token); },
                 .render =
                     [this](Session& session, const Changes& changes) {
                         return live_events(session, changes, clock_.now_ms());
                     },
                 .version = PATCHBAY_VERSION}),
      sealer_(sealer_of(config)),
      blobs_(blob_store(config)),
      media_links_(sealer_, clock_, config.server.public_url),
      webhook_client_({.public_only = true, .allow_loopback = !config.production()}),
      media_client_({.max_body_bytes = max_upload_bytes,
                     .public_only = true,
                     .allow_loopback = !config.production()}),
      webhook_feed_(store_, ids_, [this](const std::string& queue) { delivery_.wake(queue); }),
      operations_(plugin_job_needs(),
                  [this](const std::string& name) { return plugins_.find(name).has_value(); }),
      plugin_events_(plugin_job_needs(), webhook_data),
      webhooks_({.store = store_,
                 .ids = ids_,
                 .client = webhook_client_,
                 .sealer = sealer_,
                 .owner = self_.owner,
                 .data = webhook_data,
                 .paused = [this] { webhook_feed_.reload(); },
                 .stopping = [this] { return std::string_view(state_.load()) == "stopping"; }}),
      ingress_(store_, ids_),
      hooks_(config_, clock_, plugins_, router_, ingress_),
      plugin_routes_(store_, plugins_, router_),
      plugin_sockets_({.plugins = plugins_, .router = router_, .identity = identity_, .ids = ids_}),
      reload_(
          {.config = config_,
           .plugins = plugins_,
           .store = store_,
           .follow = [this](const ConfigPtr& next, const auto& done) { follow_config(next, done); },
           .applied =
               [this](const ReloadReport& report) {
                   realtime_.publish(config_reloaded(api_, report));
               }}),
      api_(api_context()),
      server_(server_config(config), clock_, ids_, router_,
              hub_pipeline(config_, router_, identity_)) {
    const Recovered recovered = recover(store_, ids_, self_, true);
    const auto left = keep_work_record(config.state_folder() / "work");
    blame_jobs(store_, left);
    blame_webhooks(store_, left);
    forget_unfinished_keys(store_);
    report_("store", config.store.url + ", " + std::to_string(recovered.ready) +
                         " jobs taken back, " + std::to_string(recovered.unknown) +
                         " sends of unknown outcome");
    plugins_.check_webhooks_with(Hooks::why_uncheckable);
    plugins_.on_contained([this](const std::string& instance) { follow(instance); });
    watch_plugins();
    webhook_feed_.also_follow(
        [this](Transaction& tx, const Changes& changes) { plugin_events_.follow(tx, changes); });
    ingress_.on_accepted([this](const std::string& instance) { events_.notify(instance); });
    register_services();
    add_api_routes(router_, api_);
    delivery_.also_sweep([this] { return sweep_sign_ins(store_); });
    delivery_.also_sweep([this] {
        plugins_.tend(clock_.steady());
        return false;
    });
    hooks_.on_refused([this](const ExchangePtr& exchange, const std::string& instance) {
        identity_.refusals().note(audit_of(exchange, "webhook.refused", "instance", instance));
    });
}

ApiContext Hub::api_context() {
    return {.current_config = config_,
            .store = store_,
            .identity = identity_,
            .mint = mint_,
            .sealer = sealer_,
            .config_control = &reload_,
            .plugins = &plugins_,
            .realtime = &realtime_,
            .wake = [this](const std::string& queue) { delivery_.wake(queue); },
            .resume =
                [this](const std::string& channel) {
                    if (!delivery_.paused(channel)) return false;
                    delivery_.resume(channel);
                    return true;
                },
            .instance_changed = [this](const std::string& name) { follow(name); },
            .readiness = [this] { return readiness(); },
            .webhooks_changed = [this] { follow_webhooks(); },
            .collect_metrics = [this](Samples& samples) { collect_metrics(samples); },
            .blobs = blobs_ ? &*blobs_ : nullptr,
            .media_links = &media_links_};
}

Readiness Hub::readiness() const {
    Readiness readiness{.status = state_.load()};
    bool plugins_up = true;
    for (const InstanceInfo& instance : plugins_.list()) {
        if (instance.stuck > 0) readiness.degraded.push_back(instance.instance + ": stuck");
        if (instance.resident > 0) readiness.degraded.push_back(instance.instance + ": resident");
        if (instance.state == InstanceState::active || !instance.enabled) continue;
        plugins_up = false;
        readiness.degraded.push_back(instance.instance + ": " + std::string{word(instance.state)});
    }
    for (const Delivery::QueueState& queue : delivery_.state()) {
        if (!is_channel(queue.queue)) continue;  // Also one that is configured no more.
        if (queue.breaker_open) readiness.degraded.push_back(queue.queue + ": breaker_open");
        if (queue.paused) readiness.degraded.push_back(queue.queue + ": " + *queue.paused);
    }
    for (const std::string& instance : events_.hearing_strangers()) {
        readiness.degraded.push_back(instance + ": " + std::string{reason_unknown_account});
    }
    if (const auto off = clock_check_.off_by()) {
        readiness.degraded.push_back("clock: " + std::to_string(std::abs(off->count())) + " s " +
                                     (off->count() > 0 ? "ahead" : "behind"));
    }
    readiness.checks = {{"store", "up"}, {"plugins", plugins_up ? "up" : "degraded"}};
    return readiness;
}

int64_t Hub::lost_threads() const {
    int64_t lost = 0;
    for (const InstanceInfo& instance : plugins_.list()) lost += instance.lost_threads;
    return lost;
}

// Who is told goes before the store does, and plugins before what they call.
Hub::~Hub() {
    plugins_.stop();
    store_.on_changes({});
    webhook_feed_.also_follow({});
}

void Hub::register_services() {
    register_log_service(services_);
    register_clock_service(services_, clock_, ids_);
    register_crypto_service(services_);
    register_http_service(services_, client_, clock_, clock_check_);
    register_kv_service(services_, store_);
    register_webhook_service(services_, hooks_);
    const MessagingService messaging{
        .store = store_,
        .mint = mint_,
        .outcomes = delivery_.outcomes(),
        .limits = [this](const std::string& name) { return delivery_.limits(name); },
        .wake = [this](const std::string& name) { delivery_.wake(name); },
        .departments = [this] { return config_.get()->departments; },
        .is_channel = [this](const std::string& name) { return is_channel(name); },
        .reopens = [this](const std::string& name) { return reopens(name); },
        .bulk_per_day = [this](const std::string& name) { return bulk_per_day(name); },
        .state = [this](const std::string& name) { return channel_state(name); }};
    register_messaging_service(services_, messaging);
    register_app_services(messaging);
}

// No fault of the operator: two instances of one plugin have the same absolute paths, and one of
// them has to have them.
void Hub::report_left_out(const std::string& instance, const std::vector<TakenRoute>& routes) {
    for (const TakenRoute& route : routes) {
        const std::string owner =
            route.owner.empty() ? "the hub" : route.owner.substr(0, route.owner.find('/'));
        report_("plugin", instance + " is without " + route.method + " " + route.path + ", which " +
                              owner + " has");
        log_warn("app", "a route was left out, another instance has it",
                 {{"instance", instance}, {"path", route.path}, {"owner", owner}});
    }
}

// S45: nobody must run so by mistake.
void Hub::report_unchecked(const std::string& instance) {
    const ConfigPtr config = config_.get();
    const InstanceConfig* one = find_instance(*config, instance);
    if (!one || one->signatures == "required") return;
    report_("plugin", instance + " takes webhooks from anybody: signatures: " + one->signatures);
}

void Hub::publish_routes(const InstanceInfo& instance) {
    report_("plugin", line_of(instance));
    report_unchecked(instance.instance);
    report_left_out(instance.instance, hooks_.publish(instance.instance));
    report_left_out(instance.instance, plugin_routes_.publish(instance.instance));
    report_left_out(instance.instance, plugin_sockets_.publish(instance.instance));
    plugin_events_.subscribe(instance.instance, plugins_.topics(instance.instance));
}

// A number that says nothing of the credentials but whether they are others than before.
void Hub::note_credentials(const std::string& instance) {
    const auto face = plugins_.webhooks(instance);
    if (!face || !is_channel(instance)) return;
    std::string all;
    for (const auto& [key, secret] : face->secrets) all += key + "=" + secret + "\n";
    int32_t mark = 0;
    std::memcpy(&mark, hmac_sha256("credentials of " + instance, all).data(), sizeof mark);
    delivery_.credentials_are(instance, mark);
}

bool Hub::reopens(const std::string& channel) const {
    const ConfigPtr config = config_.get();
    const InstanceConfig* one = find_instance(*config, channel);
    return one && one->single_conversation;
}

int64_t Hub::bulk_per_day(const std::string& channel) const {
    const ConfigPtr config = config_.get();
    const InstanceConfig* one = find_instance(*config, channel);
    return one ? one->limits.bulk_per_day : 0;
}

// What was kept for it while it was off goes on.
void Hub::follow(const std::string& instance) {
    const auto info = plugins_.find(instance);
    if (!info) return;  // Taken out of the configuration meanwhile.
    publish_routes(*info);
    note_credentials(instance);
    events_.notify(instance);
    delivery_.wake(instance);
    wake_plugin_queues(instance);
    realtime_.publish(plugin_changed(api_, instance));
}

messaging::ChannelState Hub::channel_state(const std::string& instance) const {
    messaging::ChannelState state;
    state.changes = changes_;
    for (const Delivery::QueueState& queue : delivery_.state()) {
        if (queue.queue != instance) continue;
        state.paused = queue.paused.value_or("");
        state.breaker_open = queue.breaker_open;
    }
    return state;
}

// Disabled and failed ones too: what is sent to them waits. A library that could not be read may be
// one.
bool Hub::is_channel(const std::string& instance) const {
    const auto info = plugins_.find(instance);
    return info && (info->provides.empty() || provides(*info, Channel::interface_id));
}

void Hub::add_queue_of(const InstanceConfig& instance) {
    add_plugin_queues(instance.name);
    if (!is_channel(instance.name)) return;
    delivery_.add_channel({.instance = instance.name,
                           .concurrency = instance.limits.concurrency,
                           .per_second = instance.limits.per_second});
    note_credentials(instance.name);
}

void Hub::add_queues() {
    const ConfigPtr config = config_.get();
    for (const InstanceConfig& instance : config->plugins) add_queue_of(instance);
    delivery_.add_queue("flow", flow_workers, [this](ClaimedJob& job) { flows_.run(job); });
    bulk_.add_to(tasks_);
    eraser_.add_to(tasks_);
    replayer_.add_to(tasks_);
    add_export_to(tasks_, store_);
    delivery_.add_queue(task_queue, task_workers, [this](ClaimedJob& job) { tasks_.run(job); });
    follow_webhooks();
}

// A queue for each, so that a receiver that hangs holds up no other. A queue stays when its webhook
// goes: the next one gets it.
void Hub::follow_webhooks() {
    webhook_feed_.reload();
    const auto all = store_.read([](Session& session) { return list_webhooks(session); });
    for (const Webhook& webhook : all) {
        delivery_.add_queue(webhook.queue(), webhook_workers,
                            [this](ClaimedJob& job) { webhooks_.run(job); });
    }
}

void Hub::start() {
    plugins_.start();
    for (const InstanceInfo& instance : plugins_.list()) publish_routes(instance);
    add_queues();
    delivery_.start();
    events_.start();
    identity_.on_access_change([this](const AccessChange& change) {
        const bool has_ended = change.kind == AccessChange::Kind::ended;
        const uint16_t code = has_ended ? close_code::signed_out : close_code::not_allowed;
        const char* reason = has_ended ? "signed out" : "role or departments have changed";
        realtime_.end_user(change.user_id, change.credential, code, reason);
        plugin_sockets_.end_user(change.user_id, change.credential, code, reason);
    });
    store_.on_changes([this](const Changes& changes) {
        ++changes_;
        identity_.tell(changes);
        realtime_.changed(changes);
    });
    realtime_.start();
    timers_.start();
    reload_.start();
    server_.start();
    state_ = "ready";
    gaps_.start();
}

std::optional<std::string> Hub::first_owner_link() {
    const auto secret = identity_.make_first_owner_link();
    if (!secret) return std::nullopt;
    return config_.get()->server.public_url + "/welcome#" + *secret;
}

void Hub::stop(std::chrono::milliseconds grace, const std::function<void(const char*)>& at) {
    state_ = "stopping";
    const auto until = std::chrono::steady_clock::now() + grace;
    const auto left = [&] {
        return std::max(std::chrono::milliseconds{0},
                        std::chrono::duration_cast<std::chrono::milliseconds>(
                            until - std::chrono::steady_clock::now()));
    };
    at("requests");
    server_.stop(std::min<std::chrono::milliseconds>(left(), std::chrono::seconds{10}));
    at("a reload of the configuration");
    reload_.stop();
    at("requests that plugins answer");
    plugin_routes_.stop();
    plugin_sockets_.stop();
    timers_.stop();
    at("the routing of webhooks");
    events_.stop();
    media_client_.stop();
    webhook_client_.stop();  // What it cuts is told again; a receiver that hangs holds up no stop.
    at("sends and flow steps");
    const StopReport report = delivery_.stop(left());
    log_info("app", "stopped",
             {{"handed_back", std::to_string(report.handed_back)},
              {"left_running", std::to_string(report.left_running)}});
    client_.stop();  // What the gap fill waits for ends with it.
    gaps_.stop();
    store_.on_changes({});
    realtime_.stop();
    if (report.left_running == 0) at("plugins");
    plugins_.stop();
    clear_work_record();
}

}  // namespace patchbay
