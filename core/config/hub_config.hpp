// The configuration file as structs (architecture.md section 4): filled once, constant afterwards.
// A member has the name of its YAML key.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "config/problem.hpp"
#include "config/secrets.hpp"

namespace patchbay {

struct InstanceLimits {
    uint32_t concurrency = 8;
    uint32_t per_second = 0;         ///< 0: the plugin's own capability, or none.
    uint32_t bulk_per_day = 10'000;  ///< Recipients of bulk sends in 24 hours.
    uint64_t memory_bytes = 256ull << 20;
    uint32_t files = 256;
    std::chrono::milliseconds drain_timeout{30'000};
};

/// With isolation: process, of a process that died.
struct InstanceRestart {
    uint32_t max = 5;  ///< In `per`; after that the instance has failed.
    std::chrono::milliseconds per{std::chrono::minutes{10}};
};

struct InstanceConfig {
    std::string name, plugin;
    bool enabled = true;
    std::string isolation = "auto";       ///< none, process; auto: none for what the hub came with
    std::string flow;                     ///< instance that answers what comes in here; empty: none
    std::string signatures = "required";  ///< required, observe, off
    bool single_conversation = false;     ///< A closed one is opened again rather than a new one.
    std::map<std::string, std::vector<std::string>> aliases;  ///< route name -> absolute paths
    InstanceLimits limits;
    InstanceRestart restart;
    /// The plugin's own block, flattened: "verify.provider" or "rules[0].contains" -> text after
    /// interpolation; a list also has "rules[]" -> count.
    std::map<std::string, std::string> config;
    std::map<std::string, Position>
        positions;  ///< of each flattened key's value, and "" for the block itself
    std::map<std::string, Position>
        key_positions;  ///< of each key; a missing one is reported at the block that should have it
    std::set<std::string> unquoted;  ///< flattened keys whose value stood without quotes: 10, true
                                     ///< and 2026-01-01 are no texts there
    std::set<std::string> unreadable;  ///< flattened keys whose value could not be read; the
                                       ///< mistake has been told
    std::set<std::string> literal;     ///< flattened keys whose value stands in the file itself
    std::map<std::string, std::string> shown;   ///< flattened key -> the value with *** for secrets
                                                ///< that were put in
    Position plugin_at, isolation_at, flow_at;  ///< of these keys' values
};

struct HubConfig {
    std::filesystem::path file;  ///< absolute
    std::filesystem::path base;  ///< its folder: relative paths are relative to it
    std::string mode = "development";
    bool strict = false;  ///< Refuses secrets that stand in the file itself.
    bool production() const { return mode == "production"; }
    struct {
        std::string listen = "127.0.0.1:8000", public_url;
        /// As it stands in the file. One that ends in a slash may be what a provider joins with a
        /// path that begins with one, and signs. Empty: public_url.
        std::string written_public_url;
        std::vector<std::string> trusted_proxies, cors_origins, allowed_hosts;
        struct {
            std::string certificate, key;  ///< Files; both or neither.
        } tls;
        bool has_tls() const { return !tls.certificate.empty(); }
        std::string scheme() const { return has_tls() ? "https://" : "http://"; }
        struct {
            size_t connections = 20'000, connections_per_address = 64;
        } limits;
    } server;
    struct {
        std::string url = "sqlite:var/patchbay.db";
    } store;
    struct {
        std::string url = "local";
    } realtime;
    struct {
        std::string url = "file:var/media";
    } media;
    LogConfig log;
    struct {
        std::vector<std::string> token_keys;
        std::chrono::milliseconds token_ttl{std::chrono::hours{12}};
        /// In development a `${file:}` of token_keys may not exist yet: the first start makes it
        /// here. Empty otherwise.
        std::filesystem::path missing_key_file;
    } auth;
    std::vector<std::string> departments;
    std::vector<std::filesystem::path> plugin_path;  ///< absolute
    std::filesystem::path rules, flows;              ///< absolute; they need not exist
    std::vector<InstanceConfig> plugins;             ///< in file order

    /// How values are shown that have secrets in them, by path: store.url.
    std::map<std::string, std::string> shown;
    /// What the hub starts with all the same, to be told to the operator.
    std::vector<ConfigProblem> warnings;

    std::filesystem::path absolute(const std::string& path) const;
    /// Of media.url; nullopt where files are not kept in a folder.
    std::optional<std::filesystem::path> media_folder() const;
    std::filesystem::path state_folder()
        const;  ///< var/ beside the configuration, or the folder of the SQLite file
};

/// Reads, resolves ${env:} and ${file:}, checks. Throws ConfigError with every problem of the file.
/// Plugins' own blocks are checked by PluginHost with the plugin's schema.
HubConfig load_config(const std::filesystem::path& file);

/// The same from a text, for tests and `config check`.
HubConfig parse_config(const std::string& text, const std::filesystem::path& file);

/// A file with its mistakes. What could not be read has its default, so that the rest, plugins' own
/// blocks among it, can be checked in the same run.
struct CheckedConfig {
    HubConfig config;
    ConfigProblems problems;
    bool is_whole = true;  ///< False: the YAML broke off, most likely in the last instance.
};

/// Never throws for what stands in the text.
CheckedConfig check_config(const std::string& text, const std::filesystem::path& file);

/// The resolved file with secrets as ***.
std::string show_config(const HubConfig& config);

}  // namespace patchbay
