// tables/1: plugins' own SQL tables, alone or in one transaction with messages, operations, events
// and changes of conversations.
#pragma once
#include <string>
#include <vector>

#include "delivery/messaging_service.hpp"
#include "delivery/plugin_jobs.hpp"
#include "plugins/host_services.hpp"
#include "plugins/services/plugin_tables.hpp"
#include "store/store.hpp"

namespace patchbay {

struct TableService {
    Store& store;
    const PluginTables& tables;
    MessagingService messaging;
    PluginOperations& operations;
    PluginEvents& events;
};

/// What `service` refers to outlives the plugins. Errors of a plugin's own statements are
/// Error(request); of its constraints and expect_changed, Error(conflict).
void register_table_service(HostServices& services, TableService service);

}  // namespace patchbay
