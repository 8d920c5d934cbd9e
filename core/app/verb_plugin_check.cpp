// patchbay plugin check
#include <ostream>

#include "app/table.hpp"
#include "app/verbs.hpp"
#include "checker/checker.hpp"

namespace patchbay {
namespace {

using checker::Finding;
using checker::Report;
using checker::Result;

JsonObject report_json(const Report& report) {
    JsonArray checks = make_array();
    for (const Finding& finding : report.findings) {
        const bool is_trouble =
            finding.verdict.result == Result::failed || finding.verdict.result == Result::warned;
        JsonObject json = make_object();
        json->set("id", std::string(finding.check->id));
        json->set("name", std::string(finding.check->name));
        json->set("result", std::string(checker::word(finding.verdict.result)));
        json->set("text", printable(finding.verdict.text));
        json->set("remedy", is_trouble ? std::string(finding.check->remedy) : "");
        json->set("output", printable(finding.output));
        json->set("took_ms", finding.took.count());
        checks->add(json);
    }
    JsonObject json = make_object();
    json->set("file", report.library.string());
    json->set("plugin", printable(report.plugin));
    json->set("version", printable(report.version));
    json->set("seed", report.seed);
    json->set("conforms", report.count(Result::failed) == 0);
    for (const Result result : {Result::passed, Result::warned, Result::failed, Result::skipped})
        json->set(std::string(checker::word(result)), report.count(result));
    json->set("checks", checks);
    return json;
}

void print_finding(std::ostream& out, const Finding& finding) {
    const auto& [result, text] = finding.verdict;
    const std::string name(finding.check->name);
    out << finding.check->id << "  " << checker::word(result)
        << std::string(9 - checker::word(result).size(), ' ') << name;
    if (!text.empty()) out << std::string(18 - name.size(), ' ') << printable(text);
    out << '\n';
    const std::string indent(14, ' ');
    if (result == Result::failed || result == Result::warned)
        out << indent << "remedy: " << finding.check->remedy << '\n';
    if (!finding.output.empty()) out << indent << "output: " << printable(finding.output) << '\n';
    out.flush();
}

void print_sum(std::ostream& out, const Report& report) {
    out << report.plugin << (report.plugin.empty() ? "" : " ") << printable(report.version)
        << (report.version.empty() ? "" : ": ") << report.count(Result::passed) << " passed";
    for (const Result result : {Result::warned, Result::failed, Result::skipped})
        if (const int count = report.count(result))
            out << ", " << count << " " << checker::word(result);
    if (report.count(Result::failed) > 0) out << "; run again with --seed " << report.seed;
    out << '\n';
}

int check(const Invocation& run, const checker::Options& options) {
    std::ostream& out = run.streams.out;
    const auto tell = [&](const Finding& finding) {
        if (!run.json()) print_finding(out, finding);
    };
    Report report;
    try {
        report = checker::check_plugin(options, tell);
    } catch (const std::invalid_argument& error) {
        throw VerbFailure(exit_code::usage, error.what());
    }
    if (run.json())
        print_json(out, report_json(report));
    else
        print_sum(out, report);
    return report.count(Result::failed) == 0 ? exit_code::done : exit_code::failed;
}

}  // namespace

void add_plugin_check_verb(CLI::App& plugin, Invocation& run) {
    CLI::App* verb = plugin.add_subcommand(
        "check", "Whether a library is a plugin that a hub can trust; docs/plugin_check.md");
    const auto options = std::make_shared<checker::Options>();
    const auto json = std::make_shared<bool>(false);
    verb->add_option("library", options->library, "The file, such as build/plugins/acme_sms.so")
        ->type_name("FILE")
        ->required();
    verb->add_option("--folder", options->folder,
                     "Where plugin.yaml and sample.yaml are; else beside the library")
        ->type_name("FOLDER");
    verb->add_option("--config", options->config,
                     "A configuration with an instance of it, instead of sample.yaml")
        ->type_name("FILE");
    verb->add_option("--test", options->only,
                     "One check by number or name, in this process: for a debugger")
        ->type_name("CHECK");
    verb->add_option("--seed", options->seed, "For what is made at random, from an earlier run")
        ->type_name("NUMBER");
    verb->add_flag("--json", *json, "The same as --output json");
    verb->callback([&run, options, json] {
        if (*json) run.output = "json";
        options->in_process = !options->only.empty();
        run.verb = [&run, options] { return check(run, *options); };
    });
}

}  // namespace patchbay
