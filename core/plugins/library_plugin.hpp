// A plugin that runs within the hub's process.
#pragma once
#include "plugins/library.hpp"
#include "plugins/loaded_plugin.hpp"

namespace patchbay {

/// A call runs on the thread of its caller.
class LibraryPlugin final : public LoadedPlugin {
public:
    /// `instance` is for the log. Throws Error(refused).
    LibraryPlugin(const PluginFile& file, const std::filesystem::path& staging,
                  std::string instance, HostCall serve);

    std::string describe() override;
    void check_config(std::string_view config) override;
    void create(std::string_view config) override;
    void reconfigured(std::string_view) override {}
    std::string call(uint32_t method, std::string_view in, std::chrono::milliseconds left) override;
    bool end() override;
    bool can_end_calls() const override { return false; }
    State state() const override { return {}; }
    std::filesystem::path staged() const override { return library_.path(); }

private:
    static int32_t host_call(void* self, uint32_t method, pb_bytes in, pb_sink out);

    std::string instance_;
    HostCall serve_;
    pb_host host_;
    Library library_;
    pb_instance plugin_{};
};

}  // namespace patchbay
