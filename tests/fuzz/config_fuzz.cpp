// Any bytes as a configuration: read without harm; every mistake is one line at a place of the
// text; what was secret is in no mistake and not shown; what is shown reads back as YAML.
// Seeds: tests/config/wrong and config.
#include <cstdlib>
#include <iostream>

#include "config/hub_config.hpp"
#include "config/source_text.hpp"
#include "config/yaml_tree.hpp"

namespace {

using namespace patchbay;

constexpr size_t longest_text = 64 << 10;
constexpr std::string_view canary = "canary-of-the-fuzzer";

void require(bool fine, const std::string& what) {
    if (fine) return;
    std::cerr << what << '\n';
    std::abort();
}

void check_problem(const ConfigProblem& problem, const SourceText& source) {
    const std::string text = problem.text();
    require(problem.line >= 1 && problem.line <= source.line_count(), "line: " + text);
    const auto chars = static_cast<int>(char_count(source.line(problem.line)));
    require(problem.column >= 1 && problem.column <= chars + 1, "column: " + text);
    require(!problem.code.empty() && !problem.message.empty(), "words: " + text);
    for (const char c : text) {
        require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "control byte: " + text);
    }
    require((text + problem.hint).find(canary) == std::string::npos, "secret: " + text);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    setenv("HUB_TOKEN", canary.data(), 1);
    setenv("HUB_EMPTY", "", 1);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size > longest_text) return 0;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const CheckedConfig checked = check_config(text, "/nonexistent/hub.yaml");
    const SourceText source(text);
    for (const auto& problem : checked.problems.sorted()) check_problem(problem, source);

    const std::string shown = show_config(checked.config);
    require(shown.find(canary) == std::string::npos, "secret shown: " + shown);
    ConfigProblems problems("shown");
    read_yaml(shown, problems);
    for (const auto& problem : problems.sorted()) require(false, problem.text() + "\n" + shown);
    return 0;
}
