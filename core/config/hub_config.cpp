#include "config/hub_config.hpp"

#include "config/hub_reader.hpp"
#include "config/yaml_tree.hpp"

namespace patchbay {
namespace {

void register_secrets(const HubConfig& config) {
    for (const auto& key : config.auth.token_keys) register_secret(key);
    for (const auto& instance : config.plugins) {
        for (const auto& [key, value] : instance.config) {
            if (is_secret_key(key)) register_secret(value);
        }
    }
}

}  // namespace

std::filesystem::path HubConfig::absolute(const std::string& path) const {
    return (base / path).lexically_normal();
}

std::optional<std::filesystem::path> HubConfig::media_folder() const {
    constexpr std::string_view scheme = "file:";
    if (!media.url.starts_with(scheme)) return std::nullopt;
    return absolute(media.url.substr(scheme.size()));
}

std::filesystem::path HubConfig::state_folder() const {
    constexpr std::string_view scheme = "sqlite:";
    if (!store.url.starts_with(scheme)) return absolute("var");
    return absolute(store.url.substr(scheme.size())).parent_path();
}

CheckedConfig check_config(const std::string& text, const std::filesystem::path& file) {
    CheckedConfig out{{}, ConfigProblems(file.string())};
    HubConfig& config = out.config;
    config.file = std::filesystem::absolute(file).lexically_normal();
    config.base = config.file.parent_path();
    const YamlDocument document = read_yaml(text, out.problems);
    out.problems.stop_at(document.broken_line);
    out.is_whole = document.broken_line == 0;
    ConfigContext context{config.base, false, false, out.problems, config.shown};
    read_hub(document.root, context, config);
    register_secrets(config);
    return out;
}

HubConfig parse_config(const std::string& text, const std::filesystem::path& file) {
    CheckedConfig checked = check_config(text, file);
    checked.problems.throw_if_any();
    checked.config.warnings = checked.problems.sorted();
    return std::move(checked.config);
}

HubConfig load_config(const std::filesystem::path& file) {
    return parse_config(read_config_file(file), file);
}

}  // namespace patchbay
