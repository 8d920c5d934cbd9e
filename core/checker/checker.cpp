#include "checker/checker.hpp"

#include <algorithm>
#include <patchbay/errors.hpp>
#include <random>
#include <stdexcept>

#include "checker/child_process.hpp"
#include "checker/sample.hpp"
#include "checker/schema_of.hpp"
#include "checker/slowness.hpp"
#include "checker/static_checks.hpp"
#include "checker/trial.hpp"
#include "plugins/scratch_folder.hpp"

namespace patchbay::checker {
namespace {

constexpr std::chrono::seconds deadline{20};

// These ask nothing of an instance.
bool needs_instance(const CheckInfo& check) {
    constexpr std::string_view others[] = {"D01", "D02", "D03", "D05"};
    return std::find(std::begin(others), std::end(others), check.id) == std::end(others);
}

Verdict verdict_of(const CheckInfo& check, const Subject& subject) {
    try {
        return trial_of(check.id)(subject);
    } catch (const Failed& failed) {
        return {Result::failed, failed.text};
    } catch (const DoesNotStart& reason) {
        if (check.id == "D04") return {Result::failed, "it does not start: " + reason.text};
        return {Result::skipped, "it does not start"};
    } catch (const Skipped& skipped) {
        return {Result::skipped, skipped.text};
    } catch (const std::exception& error) {
        return {Result::failed, error.what()};
    }
}

std::filesystem::path existing(const std::filesystem::path& file) {
    return std::filesystem::exists(file) ? file : std::filesystem::path{};
}

class Run {
public:
    Run(const Options& options, const std::function<void(const Finding&)>& seen)
        : options_(options), seen_(seen) {
        folder_ = options.folder.empty() ? options.library.parent_path() : options.folder;
        report_.library = options.library;
        report_.seed = options.seed ? *options.seed : std::random_device{}();
        if (options.only.empty()) return;
        only_ = find_check(options.only);
        if (!only_) throw std::invalid_argument("there is no check \"" + options.only + "\"");
    }

    Report run() {
        StaticFindings statics =
            run_static_checks(options_.library, existing(folder_ / "plugin.yaml"));
        for (const CheckInfo& check : all_checks())
            if (check.is_static()) note(check, statics.verdicts.at(check.id));
        if (!statics.file) {
            skip_rest("K01 failed");
            return std::move(report_);
        }
        report_.plugin = statics.file->stamp.name;
        report_.version = statics.file->stamp.version;
        subject_.file = std::move(*statics.file);
        subject_.seed = report_.seed;
        for (const char* cause : {"K05", "K06", "K10"})
            if (statics.verdicts.at(cause).result == Result::failed) subject_.judges_unload = false;
        run_dynamic();
        return std::move(report_);
    }

private:
    bool is_wanted(const CheckInfo& check) const { return !only_ || only_ == &check; }

    void note(const CheckInfo& check, Verdict verdict, std::string output = {},
              std::chrono::milliseconds took = {}) {
        if (!is_wanted(check)) return;
        report_.findings.push_back({&check, std::move(verdict), std::move(output), took});
        if (seen_) seen_(report_.findings.back());
    }
    void skip_rest(const std::string& why) {
        for (const CheckInfo& check : all_checks())
            if (!check.is_static()) note(check, {Result::skipped, why});
    }

    // Processes count their copies alike.
    void stage_for(std::string_view work) {
        subject_.staging = staging_.path() / work;
        std::filesystem::create_directory(subject_.staging);
    }

    // In a process of its own as well: it runs the plugin.
    void find_config() {
        stage_for("config");
        const auto sample =
            options_.config.empty() ? existing(folder_ / "sample.yaml") : options_.config;
        if (!sample.empty()) {
            if (!std::filesystem::exists(sample))
                throw Error(ErrorKind::not_found, "there is no file " + sample.string());
            subject_.config = sample_instance(sample, report_.plugin).config;
            return;
        }
        const ChildResult child = run_in_child(
            [this] { return std::string(takes_empty_config() ? "yes" : "no"); }, deadline);
        if (child.answer == "yes") subject_.config.emplace();
        subject_.no_config =
            "there is no sample.yaml beside the library; name a configuration: --config";
    }
    bool takes_empty_config() const try {
        const Copy copy(subject_);
        const auto keys = schema_of(copy).keys;
        return std::none_of(keys.begin(), keys.end(), [](const auto& key) {
            return key.required && key.key.find_first_of("*[") == std::string::npos;
        });
    } catch (const Failed&) {
        return false;
    } catch (const Error&) {
        return false;
    }

    void run_dynamic() {
        find_config();
        std::string cause;  // Why nothing more can be found out.
        for (const CheckInfo& check : all_checks()) {
            if (check.is_static() || !is_wanted(check)) continue;
            const bool is_barred = cause == "D01" || (!cause.empty() && needs_instance(check));
            if (is_barred) {
                note(check, {Result::skipped, cause + " failed"});
                continue;
            }
            const bool crashed = run_one(check);
            const bool failed = report_.findings.back().verdict.result == Result::failed;
            if (crashed && (check.id == "D01" || check.id == "D04")) cause = check.id;
            if (failed && (check.id == "D01" || check.id == "D04"))
                subject_.judges_unload = false;  // Told once.
        }
    }

    // True: the process did not outlive it.
    bool run_one(const CheckInfo& check) {
        stage_for(check.id);
        const auto begin = std::chrono::steady_clock::now();
        const auto took = [&] {
            return std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now() - begin);
        };
        if (options_.in_process) {
            note(check, verdict_of(check, subject_), {}, took());
            return false;
        }
        const ChildResult child = run_in_child(
            [&] {
                const Verdict verdict = verdict_of(check, subject_);
                return wire::pack(verdict.result, wire::Bytes{verdict.text});
            },
            deadline * slowness);
        Verdict verdict{Result::failed, child.ending};
        if (child.answered) {
            wire::Bytes text;
            wire::unpack(child.answer, wire::Text::trusted, verdict.result, text);
            verdict.text = text.data;
        }
        const bool failed = verdict.result == Result::failed;
        note(check, std::move(verdict), failed ? child.output : "", took());
        return !child.answered;
    }

    const Options& options_;
    const std::function<void(const Finding&)>& seen_;
    std::filesystem::path folder_;
    const CheckInfo* only_ = nullptr;
    const ScratchFolder staging_;
    Subject subject_;
    Report report_;
};

}  // namespace

int Report::count(Result result) const {
    return static_cast<int>(
        std::count_if(findings.begin(), findings.end(),
                      [&](const Finding& one) { return one.verdict.result == result; }));
}

Report check_plugin(const Options& options, const std::function<void(const Finding&)>& seen) {
    return Run(options, seen).run();
}

}  // namespace patchbay::checker
