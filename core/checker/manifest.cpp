#include "checker/manifest.hpp"

#include <algorithm>
#include <map>

#include "config/yaml_tree.hpp"

namespace patchbay::checker {
namespace {

class Manifest {
public:
    explicit Manifest(const std::filesystem::path& file) {
        ConfigProblems problems(file.string());
        root_ = read_yaml(read_config_file(file), problems).root;
        problems.throw_if_any();
    }
    std::string text(std::string_view key) const {
        const YamlEntry* entry = root_.find(key);
        return entry ? entry->value.text : "";
    }

private:
    YamlNode root_;
};

// An app may be anything.
const std::map<std::string, std::string> interface_of_kind = {{"channel", "channel/1"},
                                                              {"flow", "flow/1"},
                                                              {"webhook", "webhook/1"},
                                                              {"subscriber", "events/1"}};

std::string mistake_in(const Manifest& manifest, const PluginStamp& stamp) {
    const auto differs = [&](const char* key, const std::string& found, const std::string& meant) {
        return std::string(key) + " is \"" + found + "\", the library says \"" + meant + "\"";
    };
    for (const char* key : {"name", "kind", "title", "status", "sdk"})
        if (manifest.text(key).empty()) return std::string(key) + " is missing";
    if (manifest.text("name") != stamp.name)
        return differs("name", manifest.text("name"), stamp.name);
    const std::string version = manifest.text("version");
    if (!version.empty() && version != stamp.version)
        return differs("version", version, stamp.version);
    const std::string sdk = stamp.sdk().substr(0, stamp.sdk().rfind('.'));
    if (manifest.text("sdk") != sdk) return differs("sdk", manifest.text("sdk"), sdk);
    const std::string kind = manifest.text("kind");
    const auto meant = interface_of_kind.find(kind);
    if (meant == interface_of_kind.end())
        return kind == "app" ? "" : "kind \"" + kind + "\" is none that there is";
    const bool is_provided = std::find(stamp.provides.begin(), stamp.provides.end(),
                                       meant->second) != stamp.provides.end();
    return is_provided ? "" : "kind is \"" + kind + "\", the library lacks " + meant->second;
}

}  // namespace

Verdict check_manifest(const std::filesystem::path& file, const PluginStamp& stamp) {
    if (file.empty())
        return {Result::skipped, "no plugin.yaml beside the library; name its folder: --folder"};
    try {
        const std::string mistake = mistake_in(Manifest(file), stamp);
        if (mistake.empty()) return {};
        return {Result::failed, mistake};
    } catch (const ConfigError& error) {
        return {Result::failed, error.what()};
    }
}

}  // namespace patchbay::checker
