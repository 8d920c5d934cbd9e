#include "config/hub_config.hpp"

#include "config/instance_reader.hpp"
#include "config/section.hpp"
#include "config/yaml_tree.hpp"

namespace patchbay {
namespace {

using namespace std::chrono_literals;

constexpr size_t shortest_key_chars = 32;
const std::vector<std::string> default_departments = {"Reception", "Housekeeping", "Room Service",
                                                      "Café",      "Restaurant",   "Management"};

std::string joined(const std::vector<ConfigProblem>& problems) {
    std::string out;
    for (const auto& problem : problems) out += (out.empty() ? "" : "\n") + problem.text();
    return out;
}

bool is_http_url(std::string_view url) {
    const size_t scheme = url.starts_with("https://") ? 8 : url.starts_with("http://") ? 7 : 0;
    return scheme > 0 && url.size() > scheme &&
           url.find_first_of(" \t?#") == std::string_view::npos;
}

bool is_host_and_port(std::string_view listen) {
    const size_t colon = listen.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const std::string_view port = listen.substr(colon + 1);
    return !port.empty() && port.size() <= 5 &&
           port.find_first_not_of("0123456789") == std::string_view::npos &&
           std::stoi(std::string(port)) <= 65535;
}

/// Known before anything else is read: it decides which files may be missing or readable.
bool says_production(const YamlNode& root) {
    const YamlEntry* mode = root.find("mode");
    return mode && mode->value.text == "production";
}

void check_origins(Section& server, const std::vector<std::string>& origins) {
    for (const auto& origin : origins) {
        if (!is_http_url(origin) || origin.ends_with('/') ||
            origin.find_first_of("*@") != std::string::npos) {
            server.refuse("cors_origins",
                          "expected exact origins such as \"https://desk.example\", "
                          "found \"" +
                              origin + "\"");
        }
    }
}

void read_server(Section server, HubConfig& config) {
    auto& out = config.server;
    out.listen = server.text("listen", out.listen);
    if (!is_host_and_port(out.listen)) {
        server.refuse("listen", "expected address:port such as \"127.0.0.1:8000\", found \"" +
                                    out.listen + "\"");
    }
    if (config.production()) {
        out.public_url = server.required_text("public_url");
    } else {
        out.public_url = server.text("public_url", "http://" + out.listen);
    }
    if (!out.public_url.empty() && !is_http_url(out.public_url)) {
        server.refuse("public_url",
                      "expected an http or https URL, found \"" + out.public_url + "\"");
    }
    while (out.public_url.ends_with('/')) out.public_url.pop_back();
    out.trusted_proxies = server.texts("trusted_proxies");
    out.cors_origins = server.texts("cors_origins");
    out.allowed_hosts = server.texts("allowed_hosts");
    check_origins(server, out.cors_origins);
    Section tls = server.section("tls");
    out.tls.certificate = tls.text("certificate");
    out.tls.key = tls.text("key");
    if (out.tls.certificate.empty() != out.tls.key.empty()) {
        tls.refuse(out.tls.key.empty() ? "key" : "certificate",
                   "certificate and key belong together: give both or neither");
    }
    tls.done();
    Section limits = server.section("limits");
    out.limits.connections = static_cast<size_t>(
        limits.number("connections", static_cast<int64_t>(out.limits.connections), 1, 1'000'000));
    out.limits.connections_per_address = static_cast<size_t>(
        limits.number("connections_per_address",
                      static_cast<int64_t>(out.limits.connections_per_address), 1, 1'000'000));
    limits.done();
    server.done();
}

bool begins_with_any(std::string_view text, std::initializer_list<std::string_view> starts) {
    return std::any_of(starts.begin(), starts.end(),
                       [&](auto start) { return text.starts_with(start); });
}

/// store, realtime and media have one key: where.
void read_place(Section section, std::string& url, std::initializer_list<std::string_view> starts,
                const std::string& expected) {
    url = section.text("url", url);
    if (!begins_with_any(url, starts)) {
        section.refuse("url", "expected " + expected);  // Not repeated: it may hold a password.
    }
    section.done();
}

void read_log(Section log, HubConfig& config) {
    config.log.level =
        log.choice("level", config.log.level, {"trace", "debug", "info", "warn", "error"});
    config.log.format = log.choice("format", config.log.format, {"text", "json"});
    const std::string file = log.text("file");
    if (!file.empty()) config.log.file = config.absolute(file).string();
    log.done();
}

/// Like Section::texts, but in development the file of a `${file:}` may be missing: the first start
/// makes it.
void read_token_keys(Section& auth, ConfigContext& context, HubConfig& config) {
    const YamlEntry* entry = auth.take("token_keys");
    YamlNode standard{.kind = YamlNode::Kind::list};
    standard.items.push_back({.kind = YamlNode::Kind::scalar, .text = "${file:var/token.key}"});
    if (!entry && config.production()) {
        auth.refuse("token_keys", "is needed in production");
        return;
    }
    const YamlNode& list = entry ? entry->value : standard;
    if (list.kind != YamlNode::Kind::list || list.items.empty()) {
        auth.refuse("token_keys", "expected a list with one key or more");
        return;
    }
    for (size_t i = 0; i < list.items.size(); ++i) {
        const YamlNode& item = list.items[i];
        const std::string path = "auth.token_keys[" + std::to_string(i) + "]";
        const Interpolated key = interpolate(item.text, context.base, context.production);
        if (!key.missing_file.empty() && !config.production()) {
            config.auth.missing_key_file = key.missing_file;
        } else if (!key.problem.empty()) {
            context.problems.add(item.at, path, key.problem);
        } else if (key.text.size() < shortest_key_chars) {
            context.problems.add(item.at, path, "is too short; a key has 32 characters or more");
        } else {
            config.auth.token_keys.push_back(key.text);
        }
    }
}

void read_auth(Section auth, ConfigContext& context, HubConfig& config) {
    read_token_keys(auth, context, config);
    // A token that lives longer would be refused when it comes back (S64).
    config.auth.token_ttl = auth.duration("token_ttl", config.auth.token_ttl, 1min, 24h);
    auth.done();
}

void register_secrets(const HubConfig& config) {
    for (const auto& key : config.auth.token_keys) register_secret(key);
    for (const auto& instance : config.plugins) {
        for (const auto& [key, value] : instance.config) {
            if (is_secret_key(key)) register_secret(value);
        }
    }
}

std::vector<std::filesystem::path> absolute_all(const HubConfig& config,
                                                const std::vector<std::string>& paths) {
    std::vector<std::filesystem::path> out;
    for (const auto& path : paths) out.push_back(config.absolute(path));
    return out;
}

void read_root(Section root, ConfigContext& context, HubConfig& config) {
    config.mode = root.choice("mode", config.mode, {"development", "production"});
    read_server(root.section("server"), config);
    read_place(root.section("store"), config.store.url, {"sqlite:", "postgresql://"},
               "sqlite:FILE or postgresql://user@host/database");
    read_place(root.section("realtime"), config.realtime.url, {"local", "redis://"},
               "local or redis://host:6379");
    read_place(root.section("media"), config.media.url, {"file:", "s3://"},
               "file:FOLDER or s3://bucket?region=...");
    read_log(root.section("log"), config);
    read_auth(root.section("auth"), context, config);
    config.departments = root.texts("departments", default_departments);
    config.plugin_path = absolute_all(config, root.texts("plugin_path"));
    config.rules = config.absolute(root.text("rules", "rules.yaml"));
    config.flows = config.absolute(root.text("flows", "flows/"));
    config.plugins = read_instances(root.section("plugins"), context);
    root.done();
}

}  // namespace

std::string ConfigProblem::text() const {
    std::string out = file;
    if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
    if (!path.empty()) out += ": " + path;
    return out + ": " + message;
}

ConfigError::ConfigError(std::vector<ConfigProblem> problems_)
    : std::runtime_error(joined(problems_)), problems(std::move(problems_)) {}

std::filesystem::path HubConfig::absolute(const std::string& path) const {
    return (base / path).lexically_normal();
}

std::filesystem::path HubConfig::state_folder() const {
    constexpr std::string_view scheme = "sqlite:";
    if (!store.url.starts_with(scheme)) return absolute("var");
    return absolute(store.url.substr(scheme.size())).parent_path();
}

HubConfig parse_config(const std::string& text, const std::filesystem::path& file) {
    ConfigProblems problems(file.string());
    HubConfig config;
    config.file = std::filesystem::absolute(file).lexically_normal();
    config.base = config.file.parent_path();
    const YamlNode tree = read_yaml(text, problems);
    // What could not be parsed would only bring forth mistakes that are none.
    problems.throw_if_any();
    ConfigContext context{config.base, says_production(tree), problems};
    read_root(Section(context, &tree, "", {1, 1}), context, config);
    problems.throw_if_any();
    register_secrets(config);
    return config;
}

HubConfig load_config(const std::filesystem::path& file) {
    return parse_config(read_config_file(file), file);
}

}  // namespace patchbay
