#include "plugins/host_services.hpp"

#include <patchbay/detail/methods.hpp>
#include <stdexcept>

namespace patchbay {

void HostServices::register_method(const std::string& interface_id, uint32_t method,
                                   Method function) {
    const method::Entry* entry = method::find(method);
    if (!entry || interface_id != entry->interface_id)
        throw std::logic_error("method " + std::to_string(method) + " is not one of " +
                               interface_id);
    methods_[method] = std::move(function);
    interfaces_.insert(interface_id);
}

bool HostServices::offers(std::string_view interface_id) const {
    return interfaces_.contains(interface_id);
}

std::set<std::string> HostServices::interfaces() const {
    return {interfaces_.begin(), interfaces_.end()};
}

std::string HostServices::call(const ServiceCaller& caller, uint32_t method,
                               std::string_view in) const {
    const auto found = methods_.find(method);
    if (found == methods_.end()) {
        const method::Entry* entry = method::find(method);
        throw Error(ErrorKind::unsupported, std::string("the hub does not offer ") +
                                                (entry ? entry->name : std::to_string(method)));
    }
    return found->second(caller, in);
}

}  // namespace patchbay
