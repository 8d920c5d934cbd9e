// Typed reading of one map of the configuration. Every mistake is gathered; the fallback stands in
// for what could not be read.
#pragma once
#include <chrono>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "config/interpolate.hpp"
#include "config/yaml_tree.hpp"

namespace patchbay {

/// What all sections of one file share.
struct ConfigContext {
    std::filesystem::path base;
    bool production = false;
    ConfigProblems& problems;
};

/// One map. Call done() last: it reports the keys that nobody asked for, with the nearest known
/// one.
class Section {
public:
    /// `node` null: the section is absent, all fallbacks hold. `at` is where a missing key is
    /// reported: the section's own key.
    Section(ConfigContext& context, const YamlNode* node, std::string path, Position at);

    std::string text(const std::string& key, std::string fallback = {});
    std::string required_text(const std::string& key);
    std::string choice(const std::string& key, std::string fallback,
                       std::initializer_list<std::string_view> choices);
    bool flag(const std::string& key, bool fallback);
    int64_t number(const std::string& key, int64_t fallback, int64_t lowest, int64_t highest);
    std::chrono::milliseconds duration(const std::string& key, std::chrono::milliseconds fallback,
                                       std::chrono::milliseconds lowest,
                                       std::chrono::milliseconds highest);
    uint64_t bytes(const std::string& key, uint64_t fallback, uint64_t lowest);
    std::vector<std::string> texts(const std::string& key, std::vector<std::string> fallback = {});
    Section section(const std::string& key);
    /// The raw value; nullptr when absent.
    const YamlEntry* take(const std::string& key);

    bool has(std::string_view key) const { return node_ && node_->find(key); }
    const std::vector<YamlEntry>& entries() const;
    /// A problem with a key's value, or with the section where the key is absent.
    void refuse(const std::string& key, std::string message);
    std::string path_of(const std::string& key) const;
    void done();

private:
    const YamlEntry* scalar(const std::string& key, const std::string& expected);
    ConfigContext* context_;
    const YamlNode* node_;
    std::string path_;
    Position at_;
    std::vector<std::string> known_;
};

/// Text of a scalar with ${..} resolved; nullopt after a problem, which is noted under `path`.
std::optional<std::string> resolve_text(ConfigContext& context, const YamlNode& value,
                                        const std::string& path, bool* changed = nullptr);

/// The nearest of `known` when it is near enough to be a slip of the hand; else empty.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

/// "64KiB", "256MiB", "2GiB", "512B". nullopt for anything else.
std::optional<uint64_t> parse_size(std::string_view text);
std::string size_text(uint64_t bytes);

}  // namespace patchbay
