#include "test_services.hpp"

#include <patchbay/detail/methods.hpp>

#include "base/crypto.hpp"
#include "plugins/services/basic_services.hpp"

namespace patchbay {

// Unpacks the arguments, calls `function` with the lock held and packs its answer; the test may
// have its own answer.
template <class... T, class Function>
void TestServices::offer(uint32_t number, Function function) {
    services.register_method(
        method::find(number)->interface_id, number,
        [this, number, function](const ServiceCaller&, std::string_view in) {
            std::unique_lock lock(mutex_);
            if (const auto own = played_.find(number); own != played_.end()) {
                const auto answer = own->second;
                lock.unlock();
                return answer(in);
            }
            std::tuple<T...> arguments;
            std::apply([&](auto&... each) { wire::unpack(in, wire::Text::checked, each...); },
                       arguments);
            if constexpr (std::is_void_v<decltype(std::apply(function, arguments))>) {
                std::apply(function, arguments);
                return std::string();
            } else {
                return wire::pack(std::apply(function, arguments));
            }
        });
}

TestServices::TestServices(ProviderDouble& provider) : provider_(provider) {
    offer_words();
    offer_storage();
    offer_calls();
    register_crypto_service(services);
    offer_apps();
    offer_rest();
}

void TestServices::make_tables(const std::filesystem::path& folder, const std::string& plugin,
                               const std::vector<tables::Migration>& migrations) {
    if (migrations.empty()) return;
    if (!tables_) tables_.emplace(folder, clock);
    tables_->prepare(plugin, migrations);
}

TestTables& TestServices::tables() {
    if (!tables_) throw Error(ErrorKind::request, "the plugin has no migrations, and so no tables");
    return *tables_;
}

void TestServices::offer_apps() {
    offer<tables::Statement>(method::table_query,
                             [this](auto& statement) { return tables().query(statement); });
    offer<std::vector<tables::TableStep>>(method::table_transaction, [this](auto& steps) {
        return tables().transact(steps, [this](const tables::TableStep& step) {
            if (step.event) seen_.published.push_back(*step.event);
        });
    });
    offer<std::string, std::string>(method::socket_push, [this](auto& topic, auto& text) {
        seen_.pushed.emplace_back(topic, text);
    });
    offer<std::string>(method::socket_listeners, [](auto&) { return uint32_t{0}; });
}

void TestServices::offer_words() {
    offer<Level, std::string, Labels>(method::log, [this](Level level, auto& text, auto& fields) {
        seen_.log.push_back({level, text, fields});
    });
    offer<>(method::now, [this] { return clock.now_ms(); });
    offer<>(method::new_id, [this] { return "id-" + std::to_string(++last_id_); });
    offer<std::string, double, Labels>(method::count, [this](auto& name, double add, auto& labels) {
        seen_.metrics[name] += add;
        note_labels(name, labels);
    });
    const auto set = [this](auto& name, double value, auto& labels) {
        seen_.metrics[name] = value;
        note_labels(name, labels);
    };
    offer<std::string, double, Labels>(method::gauge, set);
    offer<std::string, double, Labels>(method::observe, set);
}

void TestServices::note_labels(const std::string& metric, const Labels& labels) {
    seen_.labels.push_back(metric);
    for (const auto& [name, value] : labels) seen_.labels.push_back(name + "=" + value);
}

std::optional<TestServices::Item> TestServices::live(const std::string& key) const {
    const auto found = items_.find(key);
    if (found == items_.end()) return std::nullopt;
    if (found->second.expires_ms != 0 && found->second.expires_ms <= clock.now_ms())
        return std::nullopt;
    return found->second;
}

void TestServices::offer_storage() {
    offer<std::string>(method::kv_find, [this](auto& key) -> std::optional<Stored> {
        const auto item = live(key);
        if (!item) return std::nullopt;
        return Stored{item->value, item->version};
    });
    offer<std::string, wire::Bytes, milliseconds, std::optional<uint64_t>>(
        method::kv_store, [this](auto& key, auto& value, milliseconds ttl, auto& if_version) {
            const auto item = live(key);
            const uint64_t version = item ? item->version : 0;
            if (if_version && *if_version != version)
                throw Error(ErrorKind::conflict, "the key has another version");
            items_[key] = {value.data, version + 1,
                           ttl.count() == 0 ? 0 : clock.now_ms() + ttl.count()};
            return version + 1;
        });
    offer<std::string>(method::kv_erase, [this](auto& key) { items_.erase(key); });
    offer<std::string, uint32_t>(method::kv_keys, [this](auto& prefix, uint32_t limit) {
        std::vector<std::string> keys;
        for (const auto& [key, item] : items_)
            if (key.starts_with(prefix) && live(key) && keys.size() < limit) keys.push_back(key);
        return keys;
    });
    offer<std::string, wire::Bytes>(method::store_media, [this](auto& type, auto& content) {
        return keep(type, content.data);
    });
    offer<std::string>(method::read_media, [this](auto& id) {
        const auto found = blobs_.find(id);
        if (found == blobs_.end()) throw Error(ErrorKind::not_found, "no such media");
        return wire::Bytes{found->second};
    });
    offer<std::string, milliseconds>(method::media_link, [](auto& id, milliseconds) {
        return "https://hub.example/media/" + id;
    });
}

Media TestServices::keep(const std::string& type, std::string content) {
    Media media{.id = "blob-" + std::to_string(blobs_.size() + 1),
                .type = type,
                .bytes = content.size(),
                .sha256 = to_hex(sha256(content))};
    blobs_[media.id] = std::move(content);
    return media;
}

void TestServices::offer_calls() {
    offer<Call, Request, HttpOptions>(
        method::http, [this](auto& call, auto& request, auto& options) {
            return provider_.call(request, std::min(call.left, options.timeout));
        });
    offer<Call, Request>(method::fetch_media, [this](auto& call, auto& request) {
        const Response answer = provider_.call(request, call.left);
        if (!answer.ok())
            throw Error(ErrorKind::unavailable,
                        "the provider answered " + std::to_string(answer.status));
        return keep(answer.header("content-type"), answer.body);
    });
}

void TestServices::offer_rest() {
    offer<Event>(method::publish, [this](auto& event) { seen_.published.push_back(event); });
    const auto timer = [this](const std::string& name) {
        seen_.timers.push_back(name);
        return ++last_timer_;
    };
    offer<milliseconds, std::string>(method::timer_every,
                                     [timer](milliseconds, auto& name) { return timer(name); });
    offer<milliseconds, std::string, std::string>(
        method::timer_after, [timer](milliseconds, auto& name, auto&) { return timer(name); });
    offer<uint64_t>(method::timer_cancel, [](uint64_t) {});
    offer<std::string, std::string>(method::post,
                                    [this](auto& name, auto&) { seen_.tasks.push_back(name); });
    offer<std::string>(method::public_url,
                       [](auto& route) { return "https://hub.example/hooks/under_test/" + route; });
    // The rest answers only where a test plays it.
    for (const method::Entry& entry : method::all) {
        const bool mine = entry.number >= 1000 && entry.number != method::interfaces;
        if (!mine || services.knows(entry.number)) continue;
        offer<>(entry.number,
                [] { throw Error(ErrorKind::unsupported, "the test does not play this service"); });
    }
}

TestServices::Seen TestServices::seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
}

std::string TestServices::stored(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const auto item = live(key);
    return item ? item->value : "";
}

void TestServices::store(const std::string& key, const std::string& value) {
    const std::lock_guard lock(mutex_);
    items_[key] = {value, items_[key].version + 1, 0};
}

void TestServices::play(uint32_t number, std::function<std::string(std::string_view)> answer) {
    const std::lock_guard lock(mutex_);
    played_[number] = std::move(answer);
}

}  // namespace patchbay
