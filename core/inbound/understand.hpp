// What a plugin makes of a stored webhook.
#pragma once
#include <string>
#include <vector>

#include "inbound/ingress.hpp"
#include "plugins/plugin_host.hpp"

namespace patchbay {

inline constexpr std::chrono::seconds receive_deadline{1};

struct Understood {
    IngressRow row;
    std::vector<Event> events;
    std::string refusal;      ///< A RequestError of the plugin: the body is at fault, trying again
                              ///< would not mend it.
    std::string failure;      ///< Anything else.
    bool is_untried = false;  ///< Of a failure: the plugin's process was down, nobody has looked at
                              ///< the row.
    bool has_killed =
        false;  ///< Of a failure: the plugin's process died in it, with no other call.
};

/// Never throws for what the plugin does.
Understood understand(PluginLease& plugin, IngressRow row);

}  // namespace patchbay
