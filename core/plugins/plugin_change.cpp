// Several instances changed at once, all or nothing.
#include "base/crypto.hpp"
#include "base/log.hpp"
#include "config/config_changes.hpp"
#include "plugins/plugin_slots.hpp"

namespace patchbay {
namespace {

using Act = InstanceStep::Action;

const InstanceConfig* named(const std::vector<InstanceConfig>& all, const std::string& name) {
    for (const InstanceConfig& one : all)
        if (one.name == name) return &one;
    return nullptr;
}

bool is_exclusive(const GenerationPtr& generation) {
    return generation && (generation->stamp().flags & exclusive) != 0;
}

// The threads of a process are made when it starts.
bool may_stay(const Generation& generation, const std::vector<std::string>& changed) {
    const bool is_apart = generation.isolation() == "process";
    const auto concurrency = std::find(changed.begin(), changed.end(), "limits.concurrency");
    return can_stay(generation.schema(), changed) && !(is_apart && concurrency != changed.end());
}

}  // namespace

// One instance on its way.
struct PluginHost::Impl::Change {
    InstanceStep step;
    SlotPtr slot;
    InstanceConfig before, wanted;
    GenerationPtr old, next;
    std::optional<PluginFile> file;  // Of what replaces an exclusive one.
    PreviousFile way_back;           // From there.
    bool is_new = false, was_told = false, was_replaced = false;

    bool runs_anew() const { return step.action == Act::start || step.action == Act::replace; }
};

InstanceStep PluginHost::Impl::step_for(const Slot* slot, const InstanceConfig& wanted) const {
    InstanceStep step{.instance = wanted.name};
    if (!slot) {
        step.action = wanted.enabled ? Act::start : Act::reconfigure;
        return step;
    }
    step.changed = changed_keys(slot->config, wanted);
    const bool is_switched = slot->config.enabled != wanted.enabled;
    const GenerationPtr running = slot->running();
    if (is_switched && !wanted.enabled) {
        step.action = Act::stop;
    } else if (is_switched && !running) {
        step.action = Act::start;
    } else if (!running) {
        const bool is_off = !slot->info.enabled;
        if (!is_off && has_other_file(*slot, wanted)) step.changed.emplace_back("file");
        if (!step.changed.empty()) step.action = is_off ? Act::reconfigure : Act::start;
    } else {
        if (has_other_file(*slot, wanted)) step.changed.emplace_back("file");
        if (!step.changed.empty())
            step.action = may_stay(*running, step.changed) ? Act::reconfigure : Act::replace;
    }
    return step;
}

// A file that has gone is no reason to stop what runs.
bool PluginHost::Impl::has_other_file(const Slot& slot, const InstanceConfig& wanted) const try {
    return digest_of(file_of(wanted)) != slot.seen_digest;
} catch (const Error&) {
    return false;
}

std::vector<InstanceStep> PluginHost::Impl::plan(const std::vector<InstanceConfig>& wanted) const {
    std::vector<InstanceStep> steps;
    for (const InstanceConfig& one : wanted) steps.push_back(step_for(find(one.name).get(), one));
    for (const SlotPtr& slot : all()) {
        if (named(wanted, slot->config.name)) continue;
        steps.push_back({.instance = slot->config.name, .action = Act::stop, .is_removed = true});
    }
    return steps;
}

std::vector<PluginHost::Impl::Change> PluginHost::Impl::changes_for(
    const std::vector<InstanceConfig>& wanted) {
    std::vector<Change> changes;
    for (InstanceStep& step : plan(wanted)) {
        if (step.action == Act::none) continue;
        Change change;
        change.slot = find(step.instance);
        const InstanceConfig* config = named(wanted, step.instance);
        if (config) change.wanted = *config;
        if (!change.slot) {
            change.slot = new_slot(change.wanted);
            change.is_new = true;
        }
        change.before = change.slot->config;
        change.old = change.slot->running();
        change.step = std::move(step);
        changes.push_back(std::move(change));
    }
    return changes;
}

// The new generation, created and healthy beside the old one. An exclusive one is only looked at:
// it cannot run yet.
void PluginHost::Impl::prepare(Change& change) {
    refuse_too_many(*change.slot);
    PluginFile file = file_of(change.wanted);
    if (is_exclusive(change.old)) {
        load(file, change.wanted, 0)->end();
        change.file = std::move(file);
        return;
    }
    const auto handover = change.old ? change.old->export_state() : std::nullopt;
    change.next = run(*change.slot, change.wanted, file, handover);
}

// What goes on as it is hears of its new values, or asks to be made anew.
void PluginHost::Impl::tell(Change& change) {
    const std::vector<std::string> keys = plugin_keys(change.step.changed);
    if (change.step.action != Act::reconfigure || !change.old || keys.empty()) return;
    change.was_told = change.old->reconfigure(keys, change.wanted, config_file);
    if (change.was_told) return;
    change.step.action = Act::replace;
    prepare(change);
}

void PluginHost::Impl::replace_exclusive(Change& change) {
    if (!change.file) return;
    change.way_back = PreviousFile(*change.old);
    replace_exclusive(*change.slot, change.wanted, *change.file, std::exchange(change.old, {}));
    change.was_replaced = true;
}

void PluginHost::Impl::take_back(Change& change) {
    Slot& slot = *change.slot;
    if (change.next) discard(std::exchange(change.next, {}));
    if (change.was_replaced)
        replace_exclusive(slot, change.before, change.way_back.read(), slot.running());
    if (!change.was_told) return;
    const auto keys = plugin_keys(change.step.changed);
    if (!change.old->reconfigure(keys, change.before, config_file))
        replace(slot, change.before, PreviousFile(*change.old).read());
}

// From here on nothing can fail.
void PluginHost::Impl::switch_over(Change& change) {
    Slot& slot = *change.slot;
    if (change.next) {
        publish(slot, std::exchange(change.next, {}), change.wanted);
        if (change.old) keep_for_a_way_back(slot, *change.old);
    }
    const bool is_on = change.wanted.enabled && slot.info.enabled;
    {
        const std::lock_guard lock(slot.mutex);
        if (!change.step.is_removed) slot.config = change.wanted;
        if (change.is_new || change.before.enabled != change.wanted.enabled)
            slot.info.enabled = change.wanted.enabled;
        if (change.step.action == Act::stop) {
            slot.current = nullptr;
            tell_switched(slot);
        }
        if (!slot.current && !slot.info.enabled) slot.info.state = InstanceState::disabled;
    }
    const bool may_tell_others = change.is_new || !plugin_keys(change.step.changed).empty();
    if (!is_on && !change.step.is_removed && !slot.running() && may_tell_others)
        remember_routes(slot);
}

void PluginHost::Impl::keep_slots(const std::vector<Change>& changes,
                                  const std::vector<InstanceConfig>& wanted) {
    const std::unique_lock lock(slots_mutex);
    for (const Change& change : changes) {
        if (change.is_new) slots[change.step.instance] = change.slot;
        if (!change.step.is_removed) continue;
        change.slot->lost->forget_listener();
        slots.erase(change.step.instance);
    }
    order.clear();
    for (const InstanceConfig& one : wanted) order.push_back(one.name);
}

void PluginHost::Impl::roll_back(std::vector<Change>& changes) {
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) {
        try {
            take_back(*change);
        } catch (const std::exception& error) {
            note_failure(*change->slot, error, change->slot->running() != nullptr);
        }
    }
}

// Says which instance it was.
template <class Work>
void PluginHost::Impl::for_one(Change& change, Work&& work) {
    const auto failed = [&](const std::exception& error) {
        if (!change.is_new) note_failure(*change.slot, error, change.slot->running() != nullptr);
    };
    try {
        work();
    } catch (const ConfigError& error) {
        failed(error);
        throw;
    } catch (const Error& error) {
        failed(error);
        throw Error(error.kind, change.step.instance + ": " + error.what());
    } catch (const std::exception& error) {
        failed(error);
        throw Error(ErrorKind::internal, change.step.instance + ": " + error.what());
    }
}

std::vector<InstanceStep> PluginHost::plan(const std::vector<InstanceConfig>& wanted) const {
    const auto lock = impl_->take_control();
    return impl_->plan(wanted);
}

std::vector<InstanceStep> PluginHost::apply(const std::vector<InstanceConfig>& wanted,
                                            const Switched& switched) {
    const std::lock_guard lock(impl_->control);
    auto changes = impl_->changes_for(wanted);
    try {
        for (auto& one : changes)
            if (one.runs_anew()) impl_->for_one(one, [&] { impl_->prepare(one); });
        for (auto& one : changes) impl_->for_one(one, [&] { impl_->tell(one); });
        for (auto& one : changes) impl_->for_one(one, [&] { impl_->replace_exclusive(one); });
    } catch (...) {
        impl_->roll_back(changes);
        throw;
    }
    for (auto& one : changes) impl_->switch_over(one);
    impl_->keep_slots(changes, wanted);
    std::vector<InstanceStep> done;
    for (const auto& one : changes) done.push_back(one.step);
    if (switched) switched(done);
    for (auto& one : changes)
        if (one.slot->running() != one.old) impl_->retire(*one.slot, std::move(one.old));
    return done;
}

}  // namespace patchbay
