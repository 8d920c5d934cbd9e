// Conformance of one plugin's library: K checks read the file, D checks run it, each in a process
// of its own.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "checker/check_table.hpp"

namespace patchbay::checker {

struct Options {
    std::filesystem::path library;
    std::filesystem::path folder;  ///< Of plugin.yaml and sample.yaml; empty: beside the library.
    std::filesystem::path config;  ///< Instead of sample.yaml; empty: that one.
    std::optional<uint64_t> seed;  ///< None: another one each time.
    std::string only;              ///< Only this check, by id or name; empty: all.
    bool in_process = false;       ///< Without a process for each check: for a debugger.
};

struct Finding {
    const CheckInfo* check = nullptr;
    Verdict verdict;
    std::string output;  ///< Of a check that failed: what was written to stdout and stderr.
    std::chrono::milliseconds took{0};
};

struct Report {
    std::filesystem::path library;
    std::string plugin, version;  ///< Empty when the stamp cannot be read.
    uint64_t seed = 0;
    std::vector<Finding> findings;

    int count(Result result) const;
};

/// `seen` gets each finding as it is made. Throws Error(not_found) when there is no such library or
/// configuration, Error(config) and ConfigError for a configuration that cannot be used,
/// std::invalid_argument when `only` names no check.
Report check_plugin(const Options& options, const std::function<void(const Finding&)>& seen = {});

}  // namespace patchbay::checker
