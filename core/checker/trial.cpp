#include "checker/trial.hpp"

#include <algorithm>
#include <patchbay/detail/methods.hpp>
#include <stdexcept>

namespace patchbay::checker {
namespace {

constexpr std::pair<std::string_view, Trial> trials[] = {
    {"D01", check_load},         {"D02", check_describe},     {"D03", check_check_config},
    {"D04", check_create},       {"D05", check_empty_config}, {"D06", check_lives},
    {"D07", check_garbage},      {"D08", check_webhook_fuzz}, {"D09", check_many_threads},
    {"D10", check_host_refuses}, {"D11", check_provider},     {"D12", check_canary},
    {"D13", check_pool_thread},  {"D14", check_output},       {"D15", check_deadline},
    {"D16", check_handover},     {"D17", check_process_mode}, {"D18", check_same_id},
    {"D19", check_timers},
};

}  // namespace

Trial trial_of(std::string_view id) {
    for (const auto& [number, trial] : trials)
        if (number == id) return trial;
    throw std::logic_error("no check runs as " + std::string(id));
}

const Labels& Subject::require_config() const {
    if (!config) throw Skipped{no_config};
    return *config;
}

bool Subject::provides(std::string_view interface_id) const {
    const auto& all = file.stamp.provides;
    return std::find(all.begin(), all.end(), interface_id) != all.end();
}

std::string PlayedHub::serve(uint32_t method, std::string_view in) {
    if (method != method::interfaces)
        return services.services.call({"under_test", "under_test"}, method, in);
    const auto offered = services.services.interfaces();
    return wire::pack(std::vector<std::string>(offered.begin(), offered.end()));
}

Instance& Copy::start(HostCall host) {
    instance_ = std::make_unique<Instance>(std::move(host));
    const Answer created = instance_->create(entry(), subject_.require_config());
    if (created.kind == ErrorKind::unsupported)
        throw Skipped{"it needs what the checker does not play: " + created.error.text};
    if (!created.ok()) {
        std::string text = created.words();
        for (const auto& [key, problem] : created.error.problems)
            text += "; " + key + " " + problem;
        throw DoesNotStart{text};
    }
    return *instance_;
}

void Copy::end() {
    if (instance_) instance_->destroy();
    if (!library_.close() && subject_.judges_unload)
        throw Failed{"it stays mapped after it was unloaded"};
}

}  // namespace patchbay::checker
