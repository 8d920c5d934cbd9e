#include "plugins/library_plugin.hpp"

#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/sink.hpp>

#include "base/abandonable.hpp"
#include "base/log.hpp"
#include "plugins/bounded_call.hpp"
#include "plugins/deadlines.hpp"

namespace patchbay {
namespace {

std::string answer_of(int32_t status, const detail::StringSink& sink) {
    if (status != 0) detail::rethrow(status, sink.text());
    if (sink.too_large()) throw Error(ErrorKind::internal, "the plugin's answer is over 4 MiB");
    return sink.text();
}

// Against the contract, which a plugin written without the SDK may break.
template <class Work>
int32_t contained(pb_sink out, Work&& work) {
    try {
        return work();
    } catch (...) {
        return detail::guarded(
            out, [] { throw Error(ErrorKind::internal, "the plugin threw through the boundary"); });
    }
}

std::string name_of(uint32_t method) {
    const method::Entry* entry = method::find(method);
    return std::string{entry ? entry->name : "a call"} + "()";
}

}  // namespace

/// What a call that does not come back goes on using.
struct LibraryPlugin::Loaded {
    Loaded(const PluginFile& file, const std::filesystem::path& staging, HostCall serve_)
        : serve(std::move(serve_)),
          host{sizeof(pb_host), PB_ABI_MINOR, this, &Loaded::host_call},
          library(file, staging) {}
    Loaded(const Loaded&) = delete;
    Loaded& operator=(const Loaded&) = delete;

    static int32_t host_call(void* self, uint32_t method, pb_bytes in, pb_sink out) {
        return detail::guarded(out, [&] {
            detail::deliver(out, static_cast<Loaded*>(self)->serve(method, detail::view(in)));
        });
    }
    int32_t call(uint32_t method, std::string_view in, pb_sink out) {
        return contained(out,
                         [&] { return plugin.call(plugin.self, method, detail::borrow(in), out); });
    }

    HostCall serve;
    pb_host host;
    Library library;
    pb_instance plugin{};
};

LibraryPlugin::LibraryPlugin(const PluginFile& file, const std::filesystem::path& staging,
                             std::string instance, HostCall serve)
    : instance_(std::move(instance)),
      loaded_(std::make_shared<Loaded>(file, staging, std::move(serve))) {}

std::string LibraryPlugin::describe() {
    return answer_within(check_deadline, "describe()", [](Loaded& loaded, pb_sink out) {
        return loaded.library.entry().describe(out);
    });
}

void LibraryPlugin::check_config(std::string_view config) {
    answer_within(check_deadline, "check_config()",
                  [config = std::string{config}](Loaded& loaded, pb_sink out) {
                      return loaded.library.entry().check_config(detail::borrow(config), out);
                  });
}

void LibraryPlugin::create(std::string_view config) {
    answer_within(life_deadline, "create()",
                  [config = std::string{config}](Loaded& loaded, pb_sink out) {
                      return loaded.library.entry().create(&loaded.host, detail::borrow(config),
                                                           &loaded.plugin, out);
                  });
    pb_instance& plugin = loaded_->plugin;
    if (plugin.struct_size < sizeof(pb_instance) || !plugin.call || !plugin.destroy) {
        plugin = {};
        throw Error(ErrorKind::refused, "the plugin made no usable instance");
    }
}

std::string LibraryPlugin::call(uint32_t method, std::string_view in,
                                std::chrono::milliseconds left) {
    if (work_in_hand().calls == 0)
        return answer_within(left, name_of(method),
                             [method, in = std::string{in}](Loaded& loaded, pb_sink out) {
                                 return loaded.call(method, in, out);
                             });
    detail::StringSink answer;
    const int32_t status = loaded_->call(method, in, answer.sink());
    return answer_of(status, answer);
}

std::string LibraryPlugin::answer_within(std::chrono::milliseconds allowed, const std::string& what,
                                         Made call) {
    struct Answer {
        detail::StringSink sink;
        int32_t status = 0;
    };
    const auto answer = std::make_shared<Answer>();
    if (!ends_within(allowed, [answer, loaded = loaded_, call = std::move(call)] {
            const pb_sink out = answer->sink.sink();
            answer->status = contained(out, [&] { return call(*loaded, out); });
        })) {
        is_left_behind_ = true;
        log_error("plugins", "a call does not come back, its library stays mapped",
                  {{"instance", instance_}, {"call", what}});
        throw Error(ErrorKind::timed_out,
                    what + " did not come back within " + std::to_string(allowed.count()) + " ms");
    }
    return answer_of(answer->status, answer->sink);
}

std::filesystem::path LibraryPlugin::staged() const { return loaded_->library.path(); }

bool LibraryPlugin::end() {
    if (is_left_behind_) return false;
    if (loaded_->plugin.destroy) {
        try {
            answer_within(life_deadline, "destroy()", [](Loaded& loaded, pb_sink) {
                loaded.plugin.destroy(loaded.plugin.self);
                return 0;
            });
        } catch (const Error& error) {
            if (is_left_behind_) return false;
            log_error(instance_, "the plugin threw while it was destroyed",
                      {{"library", loaded_->library.path().filename().string()},
                       {"reason", error.what()}});
        }
    }
    loaded_->plugin = {};
    return loaded_->library.close();
}

}  // namespace patchbay
