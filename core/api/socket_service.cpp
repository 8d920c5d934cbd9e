#include <patchbay/detail/methods.hpp>
#include <patchbay/detail/wire.hpp>

#include "api/plugin_sockets.hpp"

namespace patchbay {
namespace {

// What waits for a reader is bounded by a MiB; one push may be a quarter of it.
constexpr size_t max_text_bytes = 256u << 10;
constexpr size_t max_topic_bytes = 256;

void check_text(const std::string& text) {
    if (text.size() > max_text_bytes)
        throw Error(ErrorKind::request, "a push has more than 256 KiB");
}

void check_topic(const std::string& topic) {
    if (topic.empty() || topic.size() > max_topic_bytes)
        throw Error(ErrorKind::request, "a topic has 1 to 256 bytes");
}

template <class... T>
std::tuple<T...> arguments(std::string_view in) {
    std::tuple<T...> values;
    std::apply([&](T&... value) { wire::unpack(in, wire::Text::checked, value...); }, values);
    return values;
}

}  // namespace

bool may_close(int code, const std::string& reason) {
    const bool may_be_sent = code == close_code::normal || code == close_code::going_away ||
                             code == close_code::policy || code == close_code::internal ||
                             code == close_code::try_again_later || (code >= 4000 && code < 5000);
    constexpr size_t max_reason_bytes = 123;  // RFC 6455, section 5.5
    return may_be_sent && reason.size() <= max_reason_bytes;
}

void register_socket_service(HostServices& services, PluginSockets& sockets) {
    const auto add = [&](uint32_t number, auto function) {
        services.register_method(
            "sockets/1", number,
            [&sockets, function](const ServiceCaller& caller, std::string_view in) {
                return function(sockets, caller.instance, in);
            });
    };
    using Instance = const std::string&;
    add(method::socket_push, [](PluginSockets& all, Instance instance, std::string_view in) {
        const auto [topic, text] = arguments<std::string, std::string>(in);
        check_topic(topic);
        check_text(text);
        all.push(instance, topic, text);
        return std::string{};
    });
    add(method::socket_push_to, [](PluginSockets& all, Instance instance, std::string_view in) {
        const auto [socket, text] = arguments<std::string, std::string>(in);
        check_text(text);
        all.push_to(instance, socket, text);
        return std::string{};
    });
    add(method::socket_close, [](PluginSockets& all, Instance instance, std::string_view in) {
        const auto [socket, code, reason] = arguments<std::string, int32_t, std::string>(in);
        if (!may_close(code, reason))
            throw Error(ErrorKind::request,
                        "a socket is closed with 1000, 1001, 1008, 1011, 1013 or 4000 to 4999, and "
                        "a reason of 123 bytes at most");
        all.close(instance, socket, code, reason);
        return std::string{};
    });
    add(method::socket_listeners, [](PluginSockets& all, Instance instance, std::string_view in) {
        const auto [topic] = arguments<std::string>(in);
        return wire::pack(all.listeners(instance, topic));
    });
}

}  // namespace patchbay
