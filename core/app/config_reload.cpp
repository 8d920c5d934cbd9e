#include "app/config_reload.hpp"

#include "base/log.hpp"
#include "base/metrics.hpp"
#include "config/yaml_tree.hpp"
#include "http/problem.hpp"

namespace patchbay {
namespace {

const Family<Counter> reloads_total{"patchbay_config_reloads_total",
                                    "Reloads of the configuration; result is applied or the code "
                                    "of why not.",
                                    {"result"}};

bool changes_anything(const std::vector<ConfigChange>& plan) {
    return std::any_of(plan.begin(), plan.end(), [](const ConfigChange& change) {
        return change.action != word(InstanceStep::Action::none);
    });
}

std::vector<ConfigChange> plan_of(const HubChanges& hub, const std::vector<InstanceStep>& steps) {
    std::vector<ConfigChange> plan;
    if (!hub.restart.empty()) plan.push_back({"", "restart", hub.restart});
    if (!hub.in_place.empty())
        plan.push_back({"", std::string(word(InstanceStep::Action::reconfigure)), hub.in_place});
    for (const InstanceStep& step : steps)
        plan.push_back({step.instance, std::string(word(step.action)), step.changed});
    return plan;
}

std::string in_words(const std::vector<ConfigChange>& plan) {
    std::string text;
    for (const ConfigChange& change : plan) {
        if (change.action == word(InstanceStep::Action::none)) continue;
        text += text.empty() ? "" : ", ";
        text += change.action + " " + (change.instance.empty() ? "the hub" : change.instance);
    }
    return text.empty() ? "nothing is different" : text;
}

std::vector<ConfigProblem> errors_in(const std::vector<ConfigProblem>& problems) {
    std::vector<ConfigProblem> errors;
    for (const ConfigProblem& one : problems)
        if (!one.is_warning) errors.push_back(one);
    return errors;
}

void refuse(ReloadReport& report, const char* code, std::string detail,
            std::vector<ConfigProblem> problems = {}) {
    report.code = code;
    report.detail = std::move(detail);
    report.problems = std::move(problems);
}

}  // namespace

ConfigReload::ConfigReload(Parts parts)
    : parts_(std::move(parts)), revisions_(parts_.config.get()->state_folder() / "revisions") {}

ConfigReload::~ConfigReload() { stop(); }

void ConfigReload::start() {
    {
        const std::lock_guard lock{mutex_};
        revisions_.note(read_config_file(parts_.config.get()->file));
    }
    thread_ = std::thread{[this] { run(); }};
    pthread_setname_np(thread_.native_handle(), "config-reload");
}

void ConfigReload::stop() {
    {
        const std::lock_guard lock{mutex_};
        is_stopping_ = true;
    }
    asked_.notify_all();
    if (thread_.joinable()) thread_.join();
    const std::lock_guard last{running_};
}

void ConfigReload::request() {
    const std::lock_guard lock{mutex_};
    is_asked_ = true;
    asked_.notify_all();
}

void ConfigReload::run() {
    for (;;) {
        {
            std::unique_lock lock{mutex_};
            asked_.wait(lock, [this] { return is_asked_ || is_stopping_; });
            if (is_stopping_) return;
            is_asked_ = false;
        }
        try {
            reload_to({}, {.action = "config.reload", .object_type = "config"}, Lock{running_});
        } catch (const std::exception& error) {
            log_error("config", "the configuration could not be reloaded",
                      {{"reason", error.what()}});
        }
    }
}

int64_t ConfigReload::revision() const {
    const std::lock_guard lock{mutex_};
    return revisions_.latest();
}

std::vector<ConfigChange> ConfigReload::plan(const HubConfig& wanted) {
    try {
        return plan_of(changes_of(*parts_.config.get(), wanted),
                       parts_.plugins.plan(wanted.plugins));
    } catch (const Error& error) {
        if (error.code == reload_running) throw Problem(reload_running);
        throw;
    }
}

ReloadReport ConfigReload::reload(std::optional<int64_t> revision, AuditRecord record) {
    const Lock lock{running_, std::try_to_lock};
    if (!lock) {
        reloads_total.with({"reload_running"}).add();
        throw Problem("reload_running");
    }
    return reload_to(revision, std::move(record), lock);
}

std::string ConfigReload::text_of(std::optional<int64_t> revision) const {
    if (!revision) return read_config_file(parts_.config.get()->file);
    const std::lock_guard lock{mutex_};
    if (auto text = revisions_.text(*revision)) return *text;
    throw Problem("unknown_id", "Revision " + std::to_string(*revision) + " is not kept.");
}

ReloadReport ConfigReload::reload_to(std::optional<int64_t> revision, AuditRecord record,
                                     const Lock&) {
    {
        const std::lock_guard lock{mutex_};
        if (is_stopping_) throw Problem("stopping");
    }
    ReloadReport report;
    try {
        report = apply(text_of(revision));
    } catch (const ConfigError& error) {  // The file cannot be read.
        refuse(report, "config_invalid", "The configuration has mistakes.", error.problems);
    }
    report.revision = this->revision();
    tell(report, std::move(record));
    return report;
}

ReloadReport ConfigReload::apply(const std::string& text) {
    const ConfigPtr before = parts_.config.get();
    ReloadReport report;
    CheckedFile checked = check_text(text, before->file);
    if (!checked.is_valid()) {
        refuse(report, "config_invalid", "The configuration has mistakes.",
               errors_in(checked.problems));
        return report;
    }
    const HubChanges hub = changes_of(*before, checked.config);
    if (!hub.restart.empty()) {
        report.plan = plan(checked.config);
        refuse_restart(hub, text, report);
        return report;
    }
    const auto next = std::make_shared<const HubConfig>(checked.config);
    try {
        const auto done = parts_.plugins.apply(
            next->plugins, [&](const auto& steps) { parts_.follow(next, steps); });
        report.plan = plan_of(hub, done);
    } catch (const ConfigError& error) {
        refuse(report, "config_invalid", "A plugin refused its configuration.", error.problems);
        return report;
    } catch (const Error& error) {
        refuse(report, "plugin_failed", error.what());
        return report;
    }
    note(text, std::move(checked), report);
    return report;
}

void ConfigReload::refuse_restart(const HubChanges& hub, const std::string& text,
                                  ReloadReport& report) const {
    std::vector<ConfigProblem> problems;
    for (const std::string& path : hub.restart) {
        const Position at = position_of(text, path);
        problems.push_back({.file = parts_.config.get()->file.string(),
                            .line = at.line,
                            .column = at.column,
                            .path = path,
                            .message = "is read at the start only: restart the hub to change it"});
    }
    refuse(report, "restart_needed", "Keys were changed that a running hub cannot follow.",
           std::move(problems));
}

void ConfigReload::note(const std::string& text, CheckedFile checked, ReloadReport& report) {
    set_log_level(checked.config.log.level);
    for (const ConfigProblem& one : checked.problems) log_warn("config", one.text());
    const std::lock_guard lock{mutex_};
    changes_anything(report.plan) ? revisions_.note_new(text) : revisions_.note(text);
}

void ConfigReload::tell(const ReloadReport& report, AuditRecord record) {
    reloads_total.with({report.is_applied() ? "applied" : std::string_view(report.code)}).add();
    if (!report.is_applied()) {
        log_error("config", "the configuration was not reloaded, the one before serves on",
                  {{"code", report.code},
                   {"reason", report.detail},
                   {"revision", std::to_string(report.revision)}});
        for (const ConfigProblem& one : report.problems) log_error("config", one.text());
        return;
    }
    log_info("config", "the configuration was reloaded",
             {{"revision", std::to_string(report.revision)}, {"changes", in_words(report.plan)}});
    record.object = std::to_string(report.revision);
    record.after = make_object();
    record.after->set("plan", plan_json(report.plan));
    parts_.store.write(
        [&](Transaction& tx) { append_audit(tx, record, parts_.store.clock().now_ms()); });
    parts_.applied(report);
}

}  // namespace patchbay
