#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>
#include <patchbay/services.hpp>

#include "plugins/services/basic_services.hpp"
#include "plugins/services/kv_statements.hpp"

namespace patchbay {
namespace {

constexpr uint32_t max_keys = 1000;
const std::string after_every_key =
    "\xEF\xBF\xBF";  // U+FFFF sorts behind all text (data model, section 6).

std::string find(Store& store, const ServiceCaller& caller, std::string_view in) {
    std::string key;
    wire::unpack(in, wire::Text::checked, key);
    const auto row = store.read([&](Session& session) {
        return session.first(sql::kv_find, {caller.instance, key, store.clock().now_ms()});
    });
    std::optional<Stored> stored;
    if (row) stored = Stored{row->bytes(0), static_cast<uint64_t>(row->number(1))};
    return wire::pack(stored);
}

std::string put(Store& store, const ServiceCaller& caller, std::string_view in) {
    std::string key;
    wire::Bytes value;
    std::chrono::milliseconds ttl{0};
    std::optional<uint64_t> if_version;
    wire::unpack(in, wire::Text::checked, key, value, ttl, if_version);
    const TimeMs now = store.clock().now_ms();
    const TimeMs expires = ttl.count() == 0 ? 0 : now + ttl.count();
    const auto row = store.write([&](Transaction& tx) {
        if (if_version && *if_version > 0) {
            return tx.first(sql::kv_put_if, {Blob{value.data}, expires, now, caller.instance, key,
                                             static_cast<int64_t>(*if_version)});
        }
        return tx.first(if_version ? sql::kv_put_new : sql::kv_put,
                        {caller.instance, key, Blob{value.data}, expires, now});
    });
    if (!row) throw Error(ErrorKind::conflict, "the key has another version");
    return wire::pack(static_cast<uint64_t>(row->number(0)));
}

std::string erase(Store& store, const ServiceCaller& caller, std::string_view in) {
    std::string key;
    wire::unpack(in, wire::Text::checked, key);
    store.write([&](Transaction& tx) { tx.run(sql::kv_erase, {caller.instance, key}); });
    return {};
}

std::string keys(Store& store, const ServiceCaller& caller, std::string_view in) {
    std::string prefix;
    uint32_t limit = 100;
    wire::unpack(in, wire::Text::checked, prefix, limit);
    const Rows rows = store.read([&](Session& session) {
        return session.run(sql::kv_keys, {caller.instance, prefix, prefix + after_every_key,
                                          store.clock().now_ms(),
                                          static_cast<int64_t>(std::min(limit, max_keys))});
    });
    std::vector<std::string> found;
    for (const Row& row : rows) found.push_back(row.text(0));
    return wire::pack(found);
}

}  // namespace

void register_kv_service(HostServices& services, Store& store) {
    const auto add = [&](uint32_t number, auto function) {
        services.register_method(
            "kv/1", number, [&store, function](const ServiceCaller& caller, std::string_view in) {
                return function(store, caller, in);
            });
    };
    add(method::kv_find, find);
    add(method::kv_store, put);
    add(method::kv_erase, erase);
    add(method::kv_keys, keys);
}

}  // namespace patchbay
