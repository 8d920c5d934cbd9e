// What PluginHost keeps of its instances.
#pragma once
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <vector>

#include "http/worker_pool.hpp"
#include "plugins/generation.hpp"
#include "plugins/lost_threads.hpp"
#include "plugins/plugin_host.hpp"
#include "plugins/previous_file.hpp"
#include "plugins/watchdog.hpp"

namespace patchbay {

using GenerationPtr = std::shared_ptr<Generation>;

/// More copies of one instance that will not go than this, and a reload would only add to them.
inline constexpr int64_t max_lingering = 8;

/// Everything about one instance. `current`, the routes and the words are guarded by `mutex`; what
/// changes them holds Impl::control too.
struct Slot {
    Slot(InstanceConfig instance, LostThreads::Told too_many_lost)
        : config(std::move(instance)),
          lost(std::make_shared<LostThreads>(std::move(too_many_lost))) {
        info.enabled = config.enabled;
    }
    GenerationPtr running() const {
        const std::lock_guard lock(mutex);
        return current;
    }

    mutable std::mutex mutex;
    mutable std::condition_variable gate_opened;
    bool gate_closed = false;  // An exclusive plugin is between two generations.
    InstanceConfig config;     // As the file has it: what people switched since is in `info`.
    InstanceInfo info;
    GenerationPtr current;
    std::optional<WebhookFace> face;
    std::vector<ApiRoute> api_routes;
    std::vector<SocketRoute> socket_routes;
    std::vector<std::string> topics;
    const std::shared_ptr<LostThreads> lost;

    // Of the control thread alone.
    PreviousFile previous;
    std::string seen_digest;  // Of the plugin's file when it was last loaded, or turned down.
};
using SlotPtr = std::shared_ptr<Slot>;

/// none or process: as the configuration says, and where it does not, process for what the hub did
/// not come with.
std::string isolation_of(const InstanceConfig& instance, const PluginFile& file);

/// SHA-256 in hex.
std::string digest_of(const PluginFile& file);

struct PluginHost::Impl {
    Impl(const HubConfig& config, HostServices& offered, std::filesystem::path folder,
         const Clock* given_clock);

    ~Impl();

    std::unique_lock<std::mutex> take_control();
    SlotPtr new_slot(const InstanceConfig& instance);
    SlotPtr find(const std::string& instance) const;
    SlotPtr require(const std::string& instance) const;
    std::vector<SlotPtr> all() const;  // As in the file.

    PluginFile file_of(const InstanceConfig& instance) const;
    GenerationPtr load(const PluginFile& file, const InstanceConfig& instance, int64_t number);
    GenerationPtr run(Slot& slot, const InstanceConfig& instance, const PluginFile& file,
                      const std::optional<Handover>& handover);
    void check_webhooks(const InstanceConfig& instance, Generation& generation) const;
    void note_stamp(Slot& slot, const Generation& generation);
    static void ask_routes(Generation& generation);
    void keep_routes(Slot& slot, Generation& generation);
    void tell_switched(const Slot& slot) const;
    void publish(Slot& slot, GenerationPtr generation, const InstanceConfig& instance);
    void retire(Slot& slot, GenerationPtr generation);
    void note_ending(Slot& slot, GenerationPtr generation, Ending ending);
    void keep_for_a_way_back(Slot& slot, const Generation& old);
    void discard(GenerationPtr generation);
    void refuse_too_many(const Slot& slot) const;
    void replace(Slot& slot, const InstanceConfig& instance);
    void replace(Slot& slot, const InstanceConfig& instance, const PluginFile& file);
    void replace_exclusive(Slot& slot, const InstanceConfig& instance, const PluginFile& file,
                           GenerationPtr old);
    void note_failure(Slot& slot, const std::exception& error, bool still_serving);
    void remember_routes(Slot& slot);
    void start(Slot& slot);
    void stop(Slot& slot);
    void go_back(Slot& slot);
    void errand(std::function<void()> work);
    void end_errands();
    void contain(const std::string& instance, int64_t generation, const std::string& why);

    struct Change;
    InstanceStep step_for(const Slot* slot, const InstanceConfig& wanted) const;
    bool has_other_file(const Slot& slot, const InstanceConfig& wanted) const;
    std::vector<InstanceStep> plan(const std::vector<InstanceConfig>& wanted) const;
    std::vector<Change> changes_for(const std::vector<InstanceConfig>& wanted);
    void prepare(Change& change);
    void tell(Change& change);
    void replace_exclusive(Change& change);
    void take_back(Change& change);
    void switch_over(Change& change);
    void keep_slots(const std::vector<Change>& changes, const std::vector<InstanceConfig>& wanted);
    void roll_back(std::vector<Change>& changes);
    template <class Work>
    void for_one(Change& change, Work&& work);

    const std::vector<std::filesystem::path> folders;
    const std::filesystem::path config_file;
    const bool is_production;
    const std::filesystem::path staging;
    HostServices& services;
    const SystemClock system_clock;
    const Clock& clock;
    WebhookCheck webhook_check;
    Contained contained;
    LifeWatch life;
    const std::shared_ptr<Watchdog> watchdog = std::make_shared<Watchdog>();
    std::mutex control;                     // One change of any instance at a time.
    mutable std::shared_mutex slots_mutex;  // Of the two below, which only `control` changes.
    std::map<std::string, SlotPtr> slots;
    std::vector<std::string> order;  // As in the file.
    std::mutex errands_mutex;
    bool has_stopped = false;
    std::optional<WorkerPool> errands;  // Last: they use all the rest.
};

}  // namespace patchbay
