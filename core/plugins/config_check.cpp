#include "plugins/config_check.hpp"

#include <filesystem>
#include <patchbay/detail/methods.hpp>

#include "config/section.hpp"
#include "config/yaml_tree.hpp"
#include "plugins/plugin_file.hpp"
#include "plugins/plugin_host.hpp"
#include "plugins/schema_check.hpp"
#include "plugins/scratch_folder.hpp"

namespace patchbay {
namespace {

/// Every service there is: whether this hub has what a plugin needs is no question of the
/// configuration.
HostServices all_services() {
    HostServices services;
    for (const auto& entry : method::all) {
        services.register_method(
            entry.interface_id, entry.number,
            [](const ServiceCaller&, std::string_view) { return std::string(); });
    }
    return services;
}

std::vector<std::filesystem::path> plugin_folders(const HubConfig& config) {
    if (!config.plugin_path.empty()) return config.plugin_path;
    const auto binary = std::filesystem::read_symlink("/proc/self/exe");
    return {binary.parent_path().parent_path() / "plugins"};
}

std::vector<std::string> plugin_names(const std::vector<std::filesystem::path>& folders) {
    std::vector<std::string> names;
    for (const auto& folder : folders) {
        std::error_code ignored;
        for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
            if (entry.path().extension() == ".so") names.push_back(entry.path().stem());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// Looks at the instances of one file.
class InstanceCheck {
public:
    explicit InstanceCheck(CheckedConfig& checked)
        : checked_(checked),
          services_(all_services()),
          host_(checked.config, services_, scratch_.path()),
          folders_(plugin_folders(checked.config)),
          names_(plugin_names(folders_)) {}

    void run() {
        const auto& all = checked_.config.plugins;
        for (const auto& instance : all) {
            // What is missing in it may stand where the file could not be read.
            const bool is_cut = !checked_.is_whole && &instance == &all.back();
            if (is_cut || instance.plugin.empty() || !is_known(instance)) continue;
            check_block(instance);
            check_flow(instance);
        }
    }

private:
    bool is_known(const InstanceConfig& instance);
    void check_block(const InstanceConfig& instance);
    void check_literals(const InstanceConfig& instance);
    void check_flow(const InstanceConfig& instance);
    bool is_flow(const std::string& plugin) const;
    void add(const InstanceConfig& instance, Position at, const char* key, std::string message,
             std::string_view code, std::string hint = {}) {
        checked_.problems.add(at, "plugins." + instance.name + "." + key, std::move(message), code,
                              std::move(hint));
    }

    CheckedConfig& checked_;
    ScratchFolder scratch_;
    HostServices services_;
    PluginHost host_;
    std::vector<std::filesystem::path> folders_;
    std::vector<std::string> names_;
};

bool InstanceCheck::is_known(const InstanceConfig& instance) {
    if (std::binary_search(names_.begin(), names_.end(), instance.plugin)) return true;
    const std::string near = nearest(instance.plugin, names_);
    std::string choice = names_.empty() ? "; the plugin folders are empty" : suggestion(near);
    for (size_t i = 0; near.empty() && i < names_.size(); ++i) {
        choice += (i == 0 ? "; there are " : ", ") + names_[i];
    }
    const auto shown = checked_.config.shown.find("plugins." + instance.name + ".plugin");
    const bool is_plain = shown == checked_.config.shown.end();
    add(instance, instance.plugin_at, "plugin",
        "no plugin is called " + in_quotes(is_plain ? instance.plugin : shown->second) + choice,
        config_code::unknown_plugin, near);
    return false;
}

void InstanceCheck::check_block(const InstanceConfig& instance) {
    try {
        for (ConfigProblem& one : host_.check(instance)) checked_.problems.add(std::move(one));
        check_literals(instance);
    } catch (const Error& error) {
        add(instance, instance.plugin_at, "plugin", in_message(error.what(), 300),
            config_code::plugin);
    }
}

/// Secrets that only the plugin's schema tells: the others were seen by their names.
void InstanceCheck::check_literals(const InstanceConfig& instance) {
    ConfigContext context{checked_.config.base, checked_.config.production(),
                          checked_.config.strict, checked_.problems, checked_.config.shown};
    for (const auto& [key, value] : secrets_of(host_.schema(instance.plugin), instance)) {
        if (is_secret_key(key) || !instance.literal.contains(key)) continue;
        check_literal_secret(context, instance.positions.at(key),
                             "plugins." + instance.name + ".config." + key, {value, value, false});
    }
}

void InstanceCheck::check_flow(const InstanceConfig& instance) {
    if (instance.flow.empty()) return;
    for (const auto& other : checked_.config.plugins) {
        const bool is_meant = other.name == instance.flow && other.plugin_at.line > 0 &&
                              std::binary_search(names_.begin(), names_.end(), other.plugin);
        if (!is_meant || is_flow(other.plugin)) continue;
        add(instance, instance.flow_at, "flow",
            in_quotes(other.name) + " is a " + other.plugin + ", which is no flow",
            config_code::instance);
    }
}

bool InstanceCheck::is_flow(const std::string& plugin) const try {
    const auto provides = find_plugin(folders_, plugin).stamp.provides;
    return std::find(provides.begin(), provides.end(), FlowSteps::interface_id) != provides.end();
} catch (const Error&) {
    return true;  // That the library cannot be used is told where it is named.
}

}  // namespace

bool CheckedFile::is_valid() const {
    return std::all_of(problems.begin(), problems.end(),
                       [](const ConfigProblem& one) { return one.is_warning; });
}

CheckedFile check_text(const std::string& text, const std::filesystem::path& file,
                       const std::vector<std::filesystem::path>* folders) {
    CheckedConfig checked = check_config(text, file);
    if (folders) checked.config.plugin_path = *folders;
    InstanceCheck(checked).run();
    return {std::move(checked.config), checked.problems.sorted()};
}

CheckedFile check_file(const std::string& file) try {
    return check_text(read_config_file(file), file);
} catch (const ConfigError& error) {
    return {{}, error.problems};
}

std::map<std::string, detail::Schema> plugin_schemas(const HubConfig& config) {
    const ScratchFolder scratch;
    HostServices services = all_services();
    const PluginHost host(config, services, scratch.path());
    std::map<std::string, detail::Schema> schemas;
    for (const std::string& name : plugin_names(plugin_folders(config))) {
        try {
            schemas.emplace(name, host.schema(name));
        } catch (const Error&) {
        }
    }
    return schemas;
}

void hide_plugin_secrets(HubConfig& config) {
    const ScratchFolder scratch;
    HostServices services = all_services();
    const PluginHost host(config, services, scratch.path());
    for (auto& instance : config.plugins) {
        try {
            for (const auto& [key, value] : secrets_of(host.schema(instance.plugin), instance)) {
                instance.shown[key] = hidden_secret;
            }
        } catch (const Error&) {
        }
    }
}

}  // namespace patchbay
