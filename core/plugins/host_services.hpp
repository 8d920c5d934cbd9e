// The table of host services. Folders above plugins/ register what they offer; plugins/ calls none
// of them by name.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <patchbay/sdk.hpp>
#include <set>
#include <shared_mutex>
#include <string>

namespace patchbay {

/// Who asks: the calling instance. Valid for the call.
struct ServiceCaller {
    std::string instance, plugin;
    int64_t generation = 0;
};

/// [any thread] once serving; register_method only before plugins start.
class HostServices {
public:
    /// `in` is the encoded message, the return value the encoded answer. Throws Error, which
    /// travels to the plugin.
    using Method = std::function<std::string(const ServiceCaller& caller, std::string_view in)>;

    /// `interface_id` such as "http-client/1"; `method` is the number the SDK uses for it
    /// (patchbay/detail/methods.hpp).
    void register_method(const std::string& interface_id, uint32_t method, Method function);
    bool offers(std::string_view interface_id) const;
    bool knows(uint32_t method) const { return methods_.contains(method); }
    std::set<std::string> interfaces() const;
    /// Error(unsupported) for an unknown method.
    std::string call(const ServiceCaller& caller, uint32_t method, std::string_view in) const;

private:
    std::map<uint32_t, Method> methods_;
    std::set<std::string, std::less<>> interfaces_;
};

}  // namespace patchbay
