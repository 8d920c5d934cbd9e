// A plugin that runs within the hub's process.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "plugins/library.hpp"
#include "plugins/loaded_plugin.hpp"

namespace patchbay {

/// A call runs on the thread of its caller, where a Watchdog watches it. All others, those of the
/// plugin's life, run on a thread of their own, for which their caller waits until their deadline.
/// After one that overran the library stays mapped.
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
    bool is_left_behind() const override { return is_left_behind_; }
    State state() const override { return {}; }
    std::filesystem::path staged() const override;

private:
    struct Loaded;
    using Made = std::function<int32_t(Loaded&, pb_sink)>;
    std::string answer_within(std::chrono::milliseconds allowed, const std::string& what,
                              Made call);

    std::string instance_;
    const std::shared_ptr<Loaded> loaded_;
    std::atomic<bool> is_left_behind_{false};
};

}  // namespace patchbay
