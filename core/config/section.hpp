// Typed reading of one map of the configuration. Every mistake is gathered; the fallback stands in
// for what could not be read.
#pragma once
#include <chrono>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <patchbay/detail/schema.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.hpp"
#include "config/yaml_tree.hpp"

namespace patchbay {

/// What all sections of one file share.
struct ConfigContext {
    std::filesystem::path base;
    bool production = false;
    bool strict = false;  ///< Secrets have to come from outside the file (S80).
    ConfigProblems& problems;
    std::map<std::string, std::string>& shown;  ///< HubConfig::shown
    detail::Schema* schema = nullptr;           ///< The keys that are asked for are noted in it.
};

/// A scalar with ${..} put in.
struct Resolved {
    std::string text;
    std::string shown;     ///< With *** for secrets that were put in: for messages.
    bool changed = false;  ///< Something was put in.
};

/// What a text has to look like, beyond being one.
struct TextRule {
    bool (*fits)(std::string_view) = nullptr;
    std::string_view expected{};
    std::string_view code = config_code::value;
    bool repeats_value = true;  ///< False where it may hold a password.
};

/// One map. Call done() last: it reports the keys that nobody asked for, with the nearest known
/// one.
class Section {
public:
    /// `node` null: the section is absent, all fallbacks hold. `at` is where a missing key is
    /// reported: the section's own key.
    Section(ConfigContext& context, const YamlNode* node, std::string path, Position at);

    std::string text(const std::string& key, std::string fallback = {}, const TextRule& rule = {});
    std::string required_text(const std::string& key, const TextRule& rule = {});
    std::string choice(const std::string& key, std::string fallback,
                       std::initializer_list<std::string_view> choices);
    bool flag(const std::string& key, bool fallback);
    int64_t number(const std::string& key, int64_t fallback, int64_t lowest, int64_t highest);
    std::chrono::milliseconds duration(const std::string& key, std::chrono::milliseconds fallback,
                                       std::chrono::milliseconds lowest,
                                       std::chrono::milliseconds highest);
    uint64_t bytes(const std::string& key, uint64_t fallback, uint64_t lowest);
    std::vector<std::string> texts(const std::string& key, std::vector<std::string> fallback = {},
                                   const TextRule& rule = {});
    Section section(const std::string& key);
    /// The raw value; nullptr when absent.
    const YamlEntry* take(const std::string& key);

    bool has(std::string_view key) const { return node_ && node_->find(key); }
    const std::vector<YamlEntry>& entries() const;
    /// A problem with a key's value, or with the section where the key is absent.
    void refuse(const std::string& key, std::string message,
                std::string_view code = config_code::value, std::string hint = {});
    /// Where the key's value is; where the section is, without it.
    Position position_of(const std::string& key) const;
    std::string path_of(const std::string& key) const;
    void done();

private:
    void note(const std::string& key, detail::SchemaKey what) const;
    const YamlEntry* scalar(const std::string& key, const std::string& expected);
    std::optional<Resolved> resolved(const std::string& key, const std::string& expected);
    void refuse_found(const std::string& key, const std::string& expected, const Resolved& value,
                      std::string_view code);
    std::optional<std::string> text_of(const YamlNode& value, const std::string& path,
                                       const TextRule& rule);
    ConfigContext* context_;
    const YamlNode* node_;
    std::string path_;
    Position at_;
    bool is_unreadable_ = false;
    std::vector<std::string> known_;
};

/// A scalar with ${..} resolved; nullopt after a problem, which is noted under `path`. What is
/// secret in it is kept out of logs from now on.
std::optional<Resolved> resolve(ConfigContext& context, const YamlNode& value,
                                const std::string& path);

/// S80: notes a secret that stands in the file itself.
void check_literal_secret(ConfigContext& context, Position at, const std::string& path,
                          const Resolved& value);

/// "a list", "a map", "nothing", or the text in quotes.
std::string found(const YamlNode& node, const std::string& path);

}  // namespace patchbay
