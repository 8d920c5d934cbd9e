#include "config/hub_reader.hpp"

#include "config/instance_reader.hpp"
#include "config/interpolate.hpp"
#include "config/values.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr size_t shortest_key_chars = 32;
constexpr int64_t most_connections = 1'000'000;
const std::vector<std::string> default_departments = {"Reception", "Housekeeping", "Room Service",
                                                      "Café",      "Restaurant",   "Management"};

bool starts_with_more(std::string_view text, std::string_view start) {
    return text.size() > start.size() && text.starts_with(start);
}
bool is_store(std::string_view url) {
    return starts_with_more(url, "sqlite:") || starts_with_more(url, "postgresql://");
}
bool is_realtime(std::string_view url) {
    return url == "local" || (url.starts_with("redis://") && url.find_first_not_of('/', 8) == 8);
}
bool is_media(std::string_view url) {
    return starts_with_more(url, "file:") ||
           (url.starts_with("s3://") && url.size() > 5 && url[5] != '?' && url[5] != '/');
}
bool is_department(std::string_view name) {
    return !name.empty() && name.front() != ' ' && name.back() != ' ' && char_count(name) <= 64 &&
           name.find_first_of("/?#%") == std::string_view::npos;
}

/// With a user where a proxy in front asks for one: providers call and sign the URL with it.
bool is_public_url(std::string_view url) {
    const size_t host = url.find("://") == std::string_view::npos ? 0 : url.find("://") + 3;
    const size_t at = url.substr(0, url.find('/', host)).rfind('@');
    if (at == std::string_view::npos || at <= host) return is_http_url(url);
    return is_http_url(std::string(url.substr(0, host)).append(url.substr(at + 1)));
}

constexpr TextRule listen_rule{is_listen_address, "address:port such as \"127.0.0.1:8000\"",
                               config_code::address};
constexpr TextRule public_url_rule{
    is_public_url, "an http or https URL such as \"https://hub.example.com\"", config_code::url};
constexpr TextRule origin_rule{is_origin, "an exact origin such as \"https://desk.example\"",
                               config_code::url};
constexpr TextRule network_rule{is_network, "an address or a network such as \"10.0.0.0/8\"",
                                config_code::address};
constexpr TextRule host_rule{is_host, "a host name such as \"hub.example.com\", without a port",
                             config_code::address};
constexpr TextRule department_rule{is_department,
                                   "a department's name: 1 to 64 characters without / ? # %",
                                   config_code::department};

/// Known before anything else is read: they decide what may be missing or stand in the file.
bool says(const YamlNode& root, const char* key, std::string_view word,
          const std::filesystem::path& base) {
    const YamlEntry* entry = root.find(key);
    return entry && interpolate(entry->value.text, base).text == word;
}

void read_tls(Section tls, HubConfig& config) {
    auto& out = config.server.tls;
    out.certificate = tls.text("certificate");
    out.key = tls.text("key");
    if (out.certificate.empty() != out.key.empty()) {
        tls.refuse(out.key.empty() ? "key" : "certificate",
                   "certificate and key belong together: give both or neither");
    }
    tls.done();
}

void read_server(Section server, HubConfig& config) {
    auto& out = config.server;
    out.listen = server.text("listen", out.listen, listen_rule);
    read_tls(server.section("tls"), config);
    if (config.production()) {
        out.public_url = server.required_text("public_url", public_url_rule);
    } else {
        out.public_url = server.text("public_url", out.scheme() + out.listen, public_url_rule);
    }
    out.written_public_url = out.public_url;
    while (out.public_url.ends_with('/')) out.public_url.pop_back();
    out.trusted_proxies = server.texts("trusted_proxies", {}, network_rule);
    out.cors_origins = server.texts("cors_origins", {}, origin_rule);
    out.allowed_hosts = server.texts("allowed_hosts", {}, host_rule);
    Section limits = server.section("limits");
    const auto count = [&](const char* key, size_t fallback) {
        return static_cast<size_t>(
            limits.number(key, static_cast<int64_t>(fallback), 1, most_connections));
    };
    out.limits.connections = count("connections", out.limits.connections);
    out.limits.connections_per_address =
        count("connections_per_address", out.limits.connections_per_address);
    limits.done();
    server.done();
}

/// store, realtime and media have one key: where. A wrong one is not repeated: it may hold a
/// password.
void read_place(Section section, ConfigContext& context, std::string& url, const TextRule& rule) {
    url = section.text("url", url, rule);
    if (has_password(url) && !context.shown.contains(section.path_of("url"))) {
        check_literal_secret(context, section.position_of("url"), section.path_of("url"),
                             {url, without_password(url), false});
    }
    section.done();
}

void read_log(Section log, HubConfig& config) {
    config.log.level =
        log.choice("level", config.log.level, {"trace", "debug", "info", "warn", "error"});
    config.log.format = log.choice("format", config.log.format, {"text", "json"});
    config.log.access = log.choice("access", config.log.access, {"off", "requests", "all"});
    const std::string file = log.text("file");
    if (!file.empty()) config.log.file = config.absolute(file).string();
    log.done();
}

void read_token_key(const YamlNode& item, const std::string& path, ConfigContext& context,
                    HubConfig& config) {
    if (item.unreadable) return;
    if (item.kind != YamlNode::Kind::scalar) {
        context.problems.add(item.at, path, "expected a key, found " + found(item, path),
                             config_code::type);
        return;
    }
    const Interpolated file = interpolate(item.text, context.base);
    if (!file.missing_file.empty() && !config.production()) {
        config.auth.missing_key_file = file.missing_file;  // The first start makes it.
        return;
    }
    const auto key = resolve(context, item, path);
    if (!key) return;
    if (char_count(key->text) < shortest_key_chars) {
        context.problems.add(item.at, path, "is too short; a key has 32 characters or more",
                             config_code::range);
        return;
    }
    check_literal_secret(context, item.at, path, *key);
    config.auth.token_keys.push_back(key->text);
}

void read_auth(Section auth, ConfigContext& context, HubConfig& config) {
    const YamlEntry* entry = auth.take("token_keys");
    YamlNode standard{.kind = YamlNode::Kind::list};
    standard.items.push_back({.kind = YamlNode::Kind::scalar, .text = "${file:var/token.key}"});
    const YamlNode& list = entry ? entry->value : standard;
    if (!entry && config.production()) {
        auth.refuse("token_keys", "is needed in production", config_code::missing);
    } else if (list.kind != YamlNode::Kind::list || list.items.empty()) {
        if (!list.unreadable) {
            auth.refuse("token_keys", "expected a list with one key or more", config_code::type);
        }
    } else {
        for (size_t i = 0; i < list.items.size(); ++i) {
            read_token_key(list.items[i], "auth.token_keys[" + std::to_string(i) + "]", context,
                           config);
        }
    }
    // A token that lives longer would be refused when it comes back (S64).
    config.auth.token_ttl = auth.duration("token_ttl", config.auth.token_ttl, 1min, 24h);
    auth.done();
}

/// As people mean them: "Room Service" and "room-service" are one department.
std::string plain_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
        out += c == ' ' || c == '_' ? '-' : c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c;
    }
    return out;
}

void read_departments(Section& root, ConfigContext& context, const YamlNode& tree,
                      HubConfig& config) {
    config.departments = root.texts("departments", default_departments, department_rule);
    const YamlEntry* entry = tree.find("departments");
    if (!entry) return;
    std::map<std::string, std::string> names;
    for (size_t i = 0; i < entry->value.items.size(); ++i) {
        const YamlNode& item = entry->value.items[i];
        if (item.kind != YamlNode::Kind::scalar || item.text.empty()) continue;
        const auto [first, is_new] = names.emplace(plain_name(item.text), item.text);
        if (is_new) continue;
        std::string path = "departments[";
        path += std::to_string(i) + "]";
        context.problems.add(item.at, path,
                             "is the same department as " + in_quotes(first->second) + " before it",
                             config_code::department);
    }
}

std::vector<std::filesystem::path> absolute_all(const HubConfig& config,
                                                const std::vector<std::string>& paths) {
    std::vector<std::filesystem::path> out;
    for (const auto& path : paths) out.push_back(config.absolute(path));
    return out;
}

}  // namespace

void read_hub(const YamlNode& tree, ConfigContext& context, HubConfig& config) {
    context.production = says(tree, "mode", "production", context.base);
    context.strict = says(tree, "strict", "true", context.base);
    Section root(context, &tree, "", {1, 1});
    config.mode = root.choice("mode", config.mode, {"development", "production"});
    config.strict = root.flag("strict", config.strict);
    read_server(root.section("server"), config);
    read_place(
        root.section("store"), context, config.store.url,
        {is_store, "sqlite:FILE or postgresql://user@host/database", config_code::url, false});
    read_place(root.section("realtime"), context, config.realtime.url,
               {is_realtime, "local or redis://host:6379", config_code::url, false});
    read_place(root.section("media"), context, config.media.url,
               {is_media, "file:FOLDER or s3://bucket?region=...", config_code::url, false});
    read_log(root.section("log"), config);
    read_auth(root.section("auth"), context, config);
    read_departments(root, context, tree, config);
    config.plugin_path = absolute_all(config, root.texts("plugin_path"));
    config.rules = config.absolute(root.text("rules", "rules.yaml"));
    config.flows = config.absolute(root.text("flows", "flows/"));
    config.plugins = read_instances(root.section("plugins"), context);
    root.done();
}

}  // namespace patchbay
