#include "plugins/loaded_plugin.hpp"

#include "plugins/library_plugin.hpp"
#include "plugins/process/child_plugin.hpp"

namespace patchbay {

std::unique_ptr<LoadedPlugin> load_plugin(const std::string& isolation, PluginOrigin origin) {
    if (isolation == "process") return std::make_unique<ChildPlugin>(std::move(origin));
    return std::make_unique<LibraryPlugin>(origin.file, origin.staging, origin.instance.name,
                                           std::move(origin.serve));
}

}  // namespace patchbay
