// A plugin with `isolation: process`.
#pragma once
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "plugins/process/child_process.hpp"
#include "plugins/process/restart_budget.hpp"
#include "plugins/staged_copy.hpp"

namespace patchbay {

/// Keeps one process that serves the plugin: starts another one when it dies, within the budget of
/// `restart`, and replaces it, without a failed call, before its memory runs out.
class ChildPlugin final : public LoadedPlugin {
public:
    /// Starts a process and loads the library in it. Throws Error.
    explicit ChildPlugin(PluginOrigin origin);
    ~ChildPlugin() override;  ///< end()
    ChildPlugin(const ChildPlugin&) = delete;
    ChildPlugin& operator=(const ChildPlugin&) = delete;

    std::string describe() override;
    void check_config(std::string_view config) override;
    void create(std::string_view config) override;
    void reconfigured(std::string_view config) override;
    std::string call(uint32_t method, std::string_view in, std::chrono::milliseconds left) override;
    bool end() override;
    bool can_end_calls() const override { return true; }
    State state() const override;
    std::filesystem::path staged() const override { return copy_.path(); }

private:
    using ChildPtr = std::shared_ptr<ChildProcess>;

    ChildPtr start_process();
    ChildPtr running(std::chrono::milliseconds left);
    void supervise();
    std::string replace(std::unique_lock<std::mutex>& lock);
    void restart(std::unique_lock<std::mutex>& lock, const std::string& reason);
    void tell(std::unique_lock<std::mutex>& lock);
    bool wait_before_restart(std::unique_lock<std::mutex>& lock);
    void start_again(std::unique_lock<std::mutex>& lock);
    ChildPtr make_created(std::unique_lock<std::mutex>& lock);

    const InstanceConfig instance_;
    const bool is_exclusive_;
    const Clock& clock_;
    const std::function<void()> told_;
    StagedCopy copy_;
    WorkerPool host_calls_;
    ChildProcess::Options options_;
    std::string config_;  // Encoded.
    RestartBudget budget_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    ChildPtr current_;   // nullptr: none serves.
    ChildPtr starting_;  // Being made by supervise(); end() cuts it.
    State state_;
    bool is_stopping_ = false;
    std::thread supervisor_;  // From create() on.
};

}  // namespace patchbay
