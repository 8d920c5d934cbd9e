#include "plugins/library_plugin.hpp"

#include <patchbay/detail/sink.hpp>

#include "base/log.hpp"

namespace patchbay {
namespace {

std::string answer_of(int32_t status, const detail::StringSink& sink) {
    if (status != 0) detail::rethrow(status, sink.text());
    if (sink.too_large()) throw Error(ErrorKind::internal, "the plugin's answer is over 4 MiB");
    return sink.text();
}

}  // namespace

LibraryPlugin::LibraryPlugin(const PluginFile& file, const std::filesystem::path& staging,
                             std::string instance, HostCall serve)
    : instance_(std::move(instance)),
      serve_(std::move(serve)),
      host_{sizeof(pb_host), PB_ABI_MINOR, this, &LibraryPlugin::host_call},
      library_(file, staging) {}

std::string LibraryPlugin::describe() {
    detail::StringSink out;
    return answer_of(library_.entry().describe(out.sink()), out);
}

void LibraryPlugin::check_config(std::string_view config) {
    detail::StringSink error;
    answer_of(library_.entry().check_config(detail::borrow(config), error.sink()), error);
}

void LibraryPlugin::create(std::string_view config) {
    detail::StringSink error;
    answer_of(library_.entry().create(&host_, detail::borrow(config), &plugin_, error.sink()),
              error);
    if (plugin_.struct_size < sizeof(pb_instance) || !plugin_.call || !plugin_.destroy) {
        plugin_ = {};
        throw Error(ErrorKind::refused, "the plugin made no usable instance");
    }
}

std::string LibraryPlugin::call(uint32_t method, std::string_view in, std::chrono::milliseconds) {
    detail::StringSink answer;
    int32_t status = 0;
    try {
        status = plugin_.call(plugin_.self, method, detail::borrow(in), answer.sink());
    } catch (...) {  // Against the contract, which a plugin written without the SDK may break.
        throw Error(ErrorKind::internal, "the plugin threw through the boundary");
    }
    return answer_of(status, answer);
}

bool LibraryPlugin::end() {
    if (plugin_.destroy) {
        try {
            plugin_.destroy(plugin_.self);
        } catch (...) {  // As above.
            log_error(instance_, "the plugin threw while it was destroyed",
                      {{"library", library_.path().filename().string()}});
        }
    }
    plugin_ = {};
    return library_.close();
}

int32_t LibraryPlugin::host_call(void* self, uint32_t method, pb_bytes in, pb_sink out) {
    return detail::guarded(out, [&] {
        detail::deliver(out, static_cast<LibraryPlugin*>(self)->serve_(method, detail::view(in)));
    });
}

}  // namespace patchbay
