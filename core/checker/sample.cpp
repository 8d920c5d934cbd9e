#include "checker/sample.hpp"

#include <stdlib.h>

#include <algorithm>
#include <patchbay/errors.hpp>

#include "config/yaml_tree.hpp"

namespace patchbay::checker {
namespace {

void set_missing_variables(const std::string& text) {
    const std::string mark = "${env:";
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
        const size_t begin = at + mark.size();
        const std::string name = text.substr(begin, text.find_first_of(":}", begin) - begin);
        ::setenv(name.c_str(), ("sample-" + name).c_str(), 0);
    }
}

}  // namespace

InstanceConfig sample_instance(const std::filesystem::path& file, const std::string& plugin) {
    const std::string text = read_config_file(file);
    set_missing_variables(text);
    HubConfig config = parse_config(text, file);
    const auto found =
        std::find_if(config.plugins.begin(), config.plugins.end(),
                     [&](const InstanceConfig& one) { return one.plugin == plugin; });
    if (found == config.plugins.end())
        throw Error(ErrorKind::config, file.string() + " has no instance of " + plugin);
    return std::move(*found);
}

}  // namespace patchbay::checker
