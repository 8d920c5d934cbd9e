// For tests: a scratch folder with plugin files, services of the host that tests can look at, and a
// running PluginHost.
#pragma once
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <patchbay/detail/methods.hpp>
#include <string>

#include "plugins/host_services.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

inline std::string read_whole(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

inline void write_whole(const std::filesystem::path& path, const std::string& content) {
    std::ofstream(path, std::ios::binary) << content;
    std::filesystem::permissions(path, std::filesystem::perms(0644));
}

/// log/1, kv/1 and http-client/1, kept in memory. [any thread]
class RecordingServices {
public:
    RecordingServices() {
        services.register_method("log/1", method::log,
                                 [this](const ServiceCaller& caller, std::string_view in) {
                                     Level level{};
                                     std::string text;
                                     wire::unpack(in, wire::Text::checked, level, text);
                                     const std::lock_guard lock(mutex_);
                                     lines_.push_back(caller.instance + ": " + text);
                                     return std::string();
                                 });
        services.register_method(
            "kv/1", method::kv_find, [this](const ServiceCaller&, std::string_view in) {
                std::string key;
                wire::unpack(in, wire::Text::checked, key);
                const std::lock_guard lock(mutex_);
                const auto found = values_.find(key);
                return wire::pack(found == values_.end()
                                      ? std::nullopt
                                      : std::optional<Stored>(Stored{found->second, 1}));
            });
        services.register_method("kv/1", method::kv_store,
                                 [this](const ServiceCaller&, std::string_view in) {
                                     std::string key;
                                     wire::Bytes value;
                                     wire::unpack(in, wire::Text::checked, key, value);
                                     const std::lock_guard lock(mutex_);
                                     values_[key] = value.data;
                                     return wire::pack(uint64_t{1});
                                 });
    }

    std::vector<std::string> lines() const {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    void put(const std::string& key, const std::string& value) {
        const std::lock_guard lock(mutex_);
        values_[key] = value;
    }
    std::string value(const std::string& key) const {
        const std::lock_guard lock(mutex_);
        const auto found = values_.find(key);
        return found == values_.end() ? "" : found->second;
    }

    HostServices services;

private:
    mutable std::mutex mutex_;
    std::vector<std::string> lines_;
    std::map<std::string, std::string> values_;
};

class PluginTest : public testing::Test {
protected:
    PluginTest() {
        std::string name =
            (std::filesystem::temp_directory_path() / "patchbay_plugins_XXXXXX").string();
        folder = ::mkdtemp(name.data());
        std::filesystem::create_directories(folder / "plugins");
        config.file = folder / "patchbay.yaml";
        config.plugin_path = {folder / "plugins"};
    }
    ~PluginTest() override {
        host.reset();
        std::filesystem::remove_all(folder);
    }

    /// Puts a planted plugin ("one/faulty") or a shipped one ("hello") where the host looks for it.
    void install(const std::string& from) {
        const bool planted = from.find('/') != std::string::npos;
        const std::filesystem::path source =
            std::string(planted ? PATCHBAY_PLANTED "/" : PATCHBAY_PLUGINS "/") + from + ".so";
        write_whole(plugin_file(source.stem().string()), read_whole(source));
    }
    std::filesystem::path plugin_file(const std::string& name) const {
        return folder / "plugins" / (name + ".so");
    }

    InstanceConfig& add(const std::string& name, const std::string& plugin,
                        std::map<std::string, std::string> values = {}) {
        InstanceConfig instance;
        instance.name = name;
        instance.plugin = plugin;
        instance.isolation = "none";
        instance.config = std::move(values);
        config.plugins.push_back(std::move(instance));
        return config.plugins.back();
    }
    PluginHost& start() {
        host.emplace(config, recording.services, folder / "staging");
        host->start();
        return *host;
    }
    std::string error_of(const std::string& instance) const {
        return host->find(instance)->last_error;
    }
    InstanceState state_of(const std::string& instance) const {
        return host->find(instance)->state;
    }
    SendResult send(const std::string& instance, const std::string& text) {
        return host->lease(instance)->send(Call{}, OutboundMessage{.id = "m1", .text = text});
    }

    std::filesystem::path folder;
    HubConfig config;
    RecordingServices recording;
    std::optional<PluginHost> host;
};

}  // namespace patchbay
