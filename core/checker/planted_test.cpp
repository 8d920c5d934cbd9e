// Each planted fault is found by its own check, and the plugin without one by none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <patchbay/errors.hpp>
#include <set>

#include "checker/checker.hpp"
#include "checker/child_process.hpp"
#include "checker/slowness.hpp"

namespace patchbay::checker {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;

const fs::path source = PATCHBAY_SOURCE_DIR;
const fs::path testdata = source / "core/checker/testdata";

Options options_for(const std::string& fault) {
    const bool has_other_name = fault == "K02", has_other_folder = fault == "K14";
    Options options;
    options.library = fs::path(PATCHBAY_PLANTED) / (has_other_folder ? "none" : fault) /
                      (has_other_name ? "other_name.so" : "planted.so");
    options.folder = has_other_folder ? testdata / "another" : testdata;
    options.seed = 7;
    return options;
}

std::set<std::string> ids(const Report& report, Result result) {
    std::set<std::string> found;
    for (const Finding& one : report.findings)
        if (one.verdict.result == result) found.emplace(one.check->id);
    return found;
}

std::string told(const Report& report) {
    std::string text;
    for (const Finding& one : report.findings)
        if (one.verdict.result != Result::passed)
            text += std::string(one.check->id) + " " + std::string(word(one.verdict.result)) + " " +
                    one.verdict.text + " " + one.output + "\n";
    return text;
}

std::string text_of(const Report& report, std::string_view id) {
    for (const Finding& one : report.findings)
        if (one.check->id == id) return one.verdict.text;
    return "not there";
}

struct Fault {
    std::string name;
    std::string says;  ///< A part of what is told.
    bool warns = false;
};

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

const Fault faults[] = {
    {"K01", "built for plugin interface 2"},
    {"K02", "the plugin is called \"planted\", its file other_name.so"},
    {"K03", "\"one\" is not major.minor.patch"},
    {"K04", "it exports planted_extra"},
    {"K05", "planted_unique is UNIQUE"},
    {"K06", "NODELETE"},
    {"K07", "text relocations"},
    {"K08", "symbols are bound at their first call"},
    {"K09", "/opt/patchbay"},
    {"K10", "a thread-local variable has a destructor"},
    {"K11", "it calls fork"},
    {"K11_exit", "it calls _exit"},
    {"K12", "it starts threads", true},
    {"K13", "libPocoFoundation.so", true},
    {"K14", "kind is \"flow\", the library lacks flow/1"},
    {"D01", "loading and unloading takes 1"},
    {"D02", "\"size\" has no text"},
    {"D02_range", "the default of \"size\": expected a number from 1 to 10"},
    {"D03", "20 descriptors"},
    {"D04", "1 host calls came after it was destroyed"},
    {"D04_crash", "crashed with SIGABRT"},
    {"D04_refused", "it does not start: unavailable: no port"},
    {"D05", "it is accepted, although \"token\" is required"},
    {"D06", "bytes of memory behind"},
    {"D06_descriptor", "20 descriptors, one of them"},
    {"D07", "instead of unsupported"},
    {"D08", "receive() says something else the second time"},
    {"D08_foreign", "receive() answers internal: stoi"},
    {"D08_key", "an event has no dedupe_key"},
    {"D08_slow", "receive() takes more than 250 ms"},
    {"D09", "crashed with SIGABRT"},
    {"D10", "send answers internal: there is always a greeting when the host refuses"},
    {"D11", "429 with Retry-After: 7 becomes retry_later in 0 ms, not retry_later in 7 s"},
    {"D11_401", "401 becomes refused, not Error(unauthorized)"},
    {"D12", "\"token\" is in a log line"},
    {"D13", "crashed with SIGSEGV"},
    {"D14", "it writes \"sends"},
    {"D15", "send waits 10000 ms for its provider when 200 ms are left"},
    {"D16", "import_state() of its own state answers refused: no such state"},
    {"D17", "its process died of send: "},
    {"D18", "the message's id does not go along"},
    {"D19", "on_timer(\"check_unknown\") answers internal: on_timer went wrong"},
};

class PlantedFault : public testing::TestWithParam<Fault> {};

TEST_P(PlantedFault, IsFoundByItsOwnCheck) {
    const Fault& fault = GetParam();
    const bool needs_time = fault.name == "D01" || fault.name == "D08_slow";
    if (needs_time && slowness > 1) GTEST_SKIP() << "a sanitizer takes as long";
    Options options = options_for(fault.name);
    options.only = fault.name.substr(0, 3);
    const Report report = check_plugin(options);
    ASSERT_EQ(report.findings.size(), 1u);
    EXPECT_EQ(report.findings[0].verdict.result, fault.warns ? Result::warned : Result::failed)
        << told(report);
    // A sanitizer ends the process in its own way.
    if (!fault.says.starts_with("crashed") || slowness == 1) {
        EXPECT_THAT(report.findings[0].verdict.text, HasSubstr(fault.says));
    }
}

// All of them one after another would take minutes: those whose faults reach furthest.
TEST(Checker, BlamesNoOtherCheckForAFault) {
    for (const std::string fault : {"K02", "K05", "K06", "K10", "D03", "D07", "D09", "D16"}) {
        SCOPED_TRACE(fault);
        const Report report = check_plugin(options_for(fault));
        EXPECT_EQ(ids(report, Result::failed), std::set<std::string>{fault}) << told(report);
        EXPECT_EQ(ids(report, Result::warned), std::set<std::string>{}) << told(report);
        EXPECT_EQ(report.findings.size(), all_checks().size());
    }
}

INSTANTIATE_TEST_SUITE_P(EachOne, PlantedFault, testing::ValuesIn(faults),
                         [](const auto& one) { return one.param.name; });

TEST(Checker, PassesAPluginWithoutFaultInEveryCheck) {
    const Report report = check_plugin(options_for("none"));
    EXPECT_EQ(report.count(Result::passed), static_cast<int>(all_checks().size())) << told(report);
    EXPECT_EQ(report.plugin, "planted");
    EXPECT_EQ(report.version, "1.0.0");
}

TEST(Checker, HasAPlantedFaultForEveryCheck) {
    for (const CheckInfo& check : all_checks()) {
        const bool is_planted =
            std::any_of(std::begin(faults), std::end(faults),
                        [&](const Fault& fault) { return fault.name.substr(0, 3) == check.id; });
        EXPECT_TRUE(is_planted) << check.id;
    }
}

TEST(Checker, SaysWhatItSkipsWithoutASample) {
    Options options = options_for("none");
    options.folder.clear();
    const Report report = check_plugin(options);
    EXPECT_EQ(ids(report, Result::failed), std::set<std::string>{}) << told(report);
    EXPECT_EQ(ids(report, Result::skipped),
              (std::set<std::string>{"K14", "D03", "D04", "D06", "D07", "D08", "D09", "D10", "D11",
                                     "D12", "D13", "D14", "D15", "D16", "D17", "D18", "D19"}));
    EXPECT_THAT(text_of(report, "D04"), HasSubstr("there is no sample.yaml"));
    EXPECT_THAT(text_of(report, "K14"), HasSubstr("no plugin.yaml"));
}

TEST(Checker, SkipsWhatACrashOfCreateHidesAndGoesOnWithTheRest) {
    const Report report = check_plugin(options_for("D04_crash"));
    EXPECT_EQ(text_of(report, "D06"), "D04 failed");
    EXPECT_EQ(text_of(report, "D05"), "") << "needs no instance";
}

TEST(Checker, MakesTheSameMutationsFromTheSameSeed) {
    Options options = options_for("D08_foreign");
    // In the process that asks: it is then no longer one to fork.
    options.in_process = true;
    const auto told_by = [&](const std::string& only) {
        options.only = only;
        const auto work = [&] {
            const Report report = check_plugin(options);
            return std::to_string(report.seed) + ": " + report.findings.at(0).verdict.text;
        };
        return run_in_child(work, std::chrono::seconds{100}).answer;
    };
    const std::string first = told_by("webhook_fuzz");
    EXPECT_THAT(first, HasSubstr("7: route \"in\", mutation "));
    EXPECT_EQ(told_by("D08"), first);
    options.seed = 8;
    EXPECT_THAT(told_by("D08"), StartsWith("8: route "));
    options.seed.reset();
    EXPECT_NE(told_by("K01"), told_by("K01")) << "another seed each time";
}

TEST(Checker, ChecksAPluginThatNeedsNoConfigurationWithoutASample) {
    Options options;
    options.library = fs::path(PATCHBAY_PLUGINS) / "hello.so";
    const Report report = check_plugin(options);
    EXPECT_EQ(report.count(Result::failed), 0) << told(report);
    EXPECT_EQ(text_of(report, "D08"), "");
}

TEST(Checker, PassesAShippedChannel) {
    Options options;
    options.library = fs::path(PATCHBAY_PLUGINS) / "twilio_sms.so";
    options.folder = source / "plugins/channels/twilio_sms";
    const Report report = check_plugin(options);
    EXPECT_EQ(report.count(Result::failed), 0) << told(report);
    EXPECT_EQ(text_of(report, "D11"), "");
}

TEST(Checker, RefusesWhatItCannotLookAt) {
    Options options = options_for("none");
    options.library = "nobody.so";
    EXPECT_THROW(check_plugin(options), Error);
    options = options_for("none");
    options.only = "K99";
    EXPECT_THROW(check_plugin(options), std::invalid_argument);
    options.only.clear();
    options.config = testdata / "nowhere.yaml";
    EXPECT_THROW(check_plugin(options), Error);
}

TEST(Checker, FailsAFileThatIsNoLibrary) {
    Options options;
    options.library = testdata / "plugin.yaml";
    const Report report = check_plugin(options);
    EXPECT_EQ(ids(report, Result::failed), std::set<std::string>{"K01"});
    EXPECT_EQ(text_of(report, "D01"), "K01 failed");
}

// docs/plugin_check.md: one heading for each check, with what fails it and the remedy.
TEST(Checker, HasAnEntryOnItsPageForEveryCheck) {
    std::ifstream file(source / "docs/plugin_check.md");
    const std::string page(std::istreambuf_iterator<char>(file), {});
    for (const CheckInfo& check : all_checks()) {
        const std::string heading =
            "### " + std::string(check.id) + " " + std::string(check.name) + "\n";
        const size_t at = page.find(heading);
        ASSERT_NE(at, std::string::npos) << heading;
        const std::string entry = page.substr(at + 1, page.find("\n###", at + 1) - at);
        EXPECT_THAT(entry, AnyOf(HasSubstr("Fails when "), HasSubstr("Warns when "))) << heading;
        EXPECT_THAT(entry, HasSubstr("Remedy:")) << heading;
    }
}

}  // namespace
}  // namespace patchbay::checker
