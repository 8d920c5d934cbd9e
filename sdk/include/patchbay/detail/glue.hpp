// The thunks that are compiled into each plugin: bytes in, a virtual call, bytes out.
#pragma once
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "../abi.h"
#include "../config_reader.hpp"
#include "../host.hpp"
#include "../interfaces.hpp"
#include "sink.hpp"

namespace patchbay::detail {

/// Arguments of a call, as values.
template <class... T>
struct Arguments {
    explicit Arguments(std::string_view in) {
        std::apply([&](T&... value) { wire::unpack(in, wire::Text::trusted, value...); }, values);
    }
    std::tuple<T...> values{};
};

/// Unpacks the arguments, calls `function` with them and packs its answer.
template <class... T, class Function>
std::string answer_to(std::string_view in, Function function) {
    Arguments<T...> arguments(in);
    if constexpr (std::is_void_v<decltype(std::apply(function, arguments.values))>) {
        std::apply(function, arguments.values);
        return {};
    } else {
        return wire::pack(std::apply(function, arguments.values));
    }
}

/// The packed answer; nullopt when the number belongs to another interface.
using Served = std::optional<std::string>;

inline Served serve(Channel& channel, uint32_t number, std::string_view in) {
    switch (number) {
        case method::capabilities:
            return wire::pack(channel.capabilities());
        case method::send:
            return answer_to<Call, OutboundMessage>(in,
                                                    [&](auto&... a) { return channel.send(a...); });
        case method::look_up:
            return answer_to<Call, OutboundMessage>(
                in, [&](auto&... a) { return channel.look_up(a...); });
        case method::list_since:
            return answer_to<Call, int64_t>(in,
                                            [&](auto&... a) { return channel.list_since(a...); });
        case method::mark_read:
            return answer_to<Call, Mark>(in, [&](auto&... a) { channel.mark_read(a...); });
        case method::typing:
            return answer_to<Call, Mark>(in, [&](auto&... a) { channel.typing(a...); });
        default:
            return std::nullopt;
    }
}

inline Served serve(WebhookHandler& webhooks, uint32_t number, std::string_view in) {
    switch (number) {
        case method::routes:
            return wire::pack(webhooks.routes());
        case method::is_authentic:
            return answer_to<Call, Request>(
                in, [&](auto&... a) { return webhooks.is_authentic(a...); });
        case method::receive:
            return answer_to<Call, Request>(in, [&](auto&... a) { return webhooks.receive(a...); });
        case method::respond:
            return answer_to<Call, Request>(in, [&](auto&... a) { return webhooks.respond(a...); });
        default:
            return std::nullopt;
    }
}

inline Served serve(EventHandler& events, uint32_t number, std::string_view in) {
    switch (number) {
        case method::topics:
            return wire::pack(events.topics());
        case method::handle:
            return answer_to<Call, Event>(in, [&](auto&... a) { events.handle(a...); });
        default:
            return std::nullopt;
    }
}

inline Served serve(FlowSteps& flow, uint32_t number, std::string_view in) {
    switch (number) {
        case method::steps:
            return wire::pack(flow.steps());
        case method::run:
            return answer_to<Call, StepInput>(in, [&](auto&... a) { return flow.run(a...); });
        default:
            return std::nullopt;
    }
}

inline Served serve(HttpApi& api, uint32_t number, std::string_view in) {
    switch (number) {
        case method::api_routes:
            return wire::pack(api.api_routes());
        case method::answer:
            return answer_to<Call, Request>(in, [&](auto&... a) { return api.answer(a...); });
        default:
            return std::nullopt;
    }
}

inline Served serve(OperationHandler& handler, uint32_t number, std::string_view in) {
    switch (number) {
        case method::operations:
            return wire::pack(handler.operations());
        case method::perform:
            return answer_to<Call, OperationInput>(
                in, [&](auto&... a) { return handler.perform(a...); });
        default:
            return std::nullopt;
    }
}

inline Served serve(SocketHandler& sockets, uint32_t number, std::string_view in) {
    switch (number) {
        case method::socket_routes:
            return wire::pack(sockets.socket_routes());
        case method::socket_opened:
            return answer_to<Call, SocketMessage>(in,
                                                  [&](auto&... a) { return sockets.opened(a...); });
        case method::socket_message:
            return answer_to<Call, SocketMessage>(
                in, [&](auto&... a) { return sockets.message(a...); });
        case method::socket_closed:
            return answer_to<Call, SocketMessage>(in, [&](auto&... a) { sockets.closed(a...); });
        default:
            return std::nullopt;
    }
}

inline Served serve(HealthCheck& check, uint32_t number, std::string_view in) {
    if (number != method::health) return std::nullopt;
    return answer_to<Call>(in, [&](auto&... a) { return check.health(a...); });
}

inline Served serve(StateHandover& handover, uint32_t number, std::string_view in) {
    switch (number) {
        case method::export_state:
            return wire::pack(wire::Bytes{handover.export_state()});
        case method::import_state:
            return answer_to<std::string, wire::Bytes>(
                in, [&](auto& from, auto& state) { handover.import_state(from, state.data); });
        default:
            return std::nullopt;
    }
}

inline Served serve(Plugin& plugin, uint32_t number, std::string_view in) {
    switch (number) {
        case method::drain:
            return answer_to<milliseconds>(in, [&](auto& left) { plugin.drain(left); });
        case method::reconfigure:
            return answer_to<std::vector<std::string>, Labels>(
                in, [&](auto& changed, auto& values) {
                    ConfigState state;
                    state.values = &values;
                    ConfigReader reader(state);
                    return plugin.reconfigure(changed, reader);
                });
        case method::on_timer:
            return answer_to<std::string, std::string>(in,
                                                       [&](auto&... a) { plugin.on_timer(a...); });
        case method::on_task:
            return answer_to<std::string, std::string>(in,
                                                       [&](auto&... a) { plugin.on_task(a...); });
        default:
            return std::nullopt;
    }
}

template <class Interface, class Type>
Served serve_as(Type& plugin, uint32_t number, std::string_view in) {
    if constexpr (std::is_base_of_v<Interface, Type>)
        return serve(static_cast<Interface&>(plugin), number, in);
    else
        return std::nullopt;
}

template <class... Interface>
struct Interfaces {
    template <class Type>
    static Served serve(Type& plugin, uint32_t number, std::string_view in) {
        Served answer;
        ((answer = serve_as<Interface>(plugin, number, in)) || ...);
        return answer;
    }
    /// "channel/1 webhook/1": what Type inherits.
    template <class Type, class Append>
    static constexpr void provided(Append append) {
        ((std::is_base_of_v<Interface, Type> ? append(Interface::interface_id) : void()), ...);
    }
};
using AllInterfaces = Interfaces<Channel, WebhookHandler, EventHandler, FlowSteps, HttpApi,
                                 OperationHandler, SocketHandler, HealthCheck, StateHandover>;

/// The three functions of pb_plugin for one plugin class.
template <class Type, auto read_config>
struct PluginEntry {
    using Config = std::remove_cvref_t<decltype(read_config(std::declval<ConfigReader&>()))>;
    static_assert(std::is_base_of_v<Plugin, Type>, "a plugin class inherits patchbay::Plugin");
    static_assert(std::is_constructible_v<Type, Config, Host>,
                  "a plugin class has a constructor (Config, Host)");

    struct Instance {
        pb_host host{};  // A copy: Host keeps a pointer to it for as long as the plugin lives.
        std::unique_ptr<Type> plugin{};
    };

    static int32_t describe(pb_sink out) {
        return guarded(out, [&] {
            ConfigState state;
            state.describing = true;
            ConfigReader reader(state);
            read_config(reader);
            if constexpr (requires { Type::migrations(); })
                state.schema.migrations = Type::migrations();
            deliver(out, wire::pack(state.schema));
        });
    }

    static Config read(pb_bytes bytes) {
        Labels values;
        wire::unpack(view(bytes), wire::Text::trusted, values);
        ConfigState state;
        state.values = &values;
        ConfigReader reader(state);
        Config config = read_config(reader);
        if (!state.problems.empty()) throw ConfigProblems(std::move(state.problems));
        return config;
    }

    static int32_t check_config(pb_bytes config, pb_sink err) {
        return guarded(err, [&] { read(config); });
    }

    static int32_t create(const pb_host* host, pb_bytes config, pb_instance* out, pb_sink err) {
        return guarded(err, [&] {
            auto instance = std::make_unique<Instance>();
            instance->host = *host;
            instance->plugin = std::make_unique<Type>(read(config), Host(&instance->host));
            *out = {sizeof(pb_instance), PB_ABI_MINOR, instance.release(), &PluginEntry::call,
                    &PluginEntry::destroy};
        });
    }

    static int32_t call(void* self, uint32_t number, pb_bytes in, pb_sink out) {
        return guarded(out, [&] {
            Type& plugin = *static_cast<Instance*>(self)->plugin;
            Served answer = AllInterfaces::serve(plugin, number, view(in));
            if (!answer) answer = serve(static_cast<Plugin&>(plugin), number, view(in));
            if (!answer)
                throw Error(ErrorKind::unsupported,
                            "no call with the number " + std::to_string(number));
            deliver(out, *answer);
        });
    }

    static void destroy(void* self) { delete static_cast<Instance*>(self); }
};

template <size_t size>
constexpr void copy_text(char (&into)[size], std::string_view text) {
    for (size_t i = 0; i < text.size() && i + 1 < size; ++i) into[i] = text[i];
}

template <size_t size>
constexpr void append_word(char (&into)[size], std::string_view word) {
    size_t at = 0;
    while (at < size && into[at]) ++at;
    // Too long for the stamp: not a constant expression, so that the compiler refuses it.
    if (at + word.size() + 2 > size) throw "the list of interfaces is too long";
    if (at > 0) into[at++] = ' ';
    for (const char c : word) into[at++] = c;
}

template <class Type>
consteval pb_stamp make_stamp(std::string_view name, std::string_view version, uint32_t sdk_version,
                              std::initializer_list<std::string_view> needs) {
    pb_stamp stamp{};
    for (size_t i = 0; i < sizeof stamp.magic; ++i) stamp.magic[i] = PB_STAMP_MAGIC[i];
    stamp.struct_size = sizeof(pb_stamp);
    stamp.abi_major = PB_ABI_MAJOR;
    stamp.abi_minor = PB_ABI_MINOR;
    stamp.sdk_version = sdk_version;
    stamp.flags = Type::flags;
    if (name.size() >= sizeof stamp.name || version.size() >= sizeof stamp.version)
        throw "too long";
    copy_text(stamp.name, name);
    copy_text(stamp.version, version);
#if defined(__clang__)
    copy_text(stamp.toolchain, __VERSION__);
#else
    copy_text(stamp.toolchain, "GCC " __VERSION__);
#endif
    AllInterfaces::provided<Type>([&](std::string_view id) { append_word(stamp.provides, id); });
    for (const std::string_view id : needs) append_word(stamp.needs, id);
    return stamp;
}

}  // namespace patchbay::detail

#define PATCHBAY_PLUGIN_IMPL(Name, Version, Type, Read, ...)                                       \
    namespace {                                                                                    \
    using PatchbayEntry_ = ::patchbay::detail::PluginEntry<Type, Read>;                            \
    [[gnu::section(".patchbay"), gnu::used]] constexpr pb_stamp patchbay_stamp_ =                  \
        ::patchbay::detail::make_stamp<Type>(#Name, Version, PATCHBAY_SDK_VERSION, {__VA_ARGS__}); \
    }                                                                                              \
    extern "C" [[gnu::visibility("default")]] const pb_plugin* patchbay_plugin_v1(void) {          \
        static constexpr pb_plugin plugin = {                                                      \
            sizeof(pb_plugin), &patchbay_stamp_, &PatchbayEntry_::describe,                        \
            &PatchbayEntry_::check_config, &PatchbayEntry_::create};                               \
        return &plugin;                                                                            \
    }
