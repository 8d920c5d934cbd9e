// Bulk sends that plugins ask for: messaging/1, the part of one content to many.
#pragma once
#include <optional>
#include <patchbay/services.hpp>
#include <string>

#include "delivery/messaging_service.hpp"

namespace patchbay {

/// Throws Error(refused) with the code of SendRefused, Error(not_found) for an unknown channel.
messaging::BulkInfo start_bulk(const MessagingService& service, const Call& call,
                               const messaging::NewBulk& wanted);

/// Owner and admin find all bulk sends, others those they asked for.
std::optional<messaging::BulkInfo> find_bulk(const MessagingService& service, const std::string& id,
                                             const messaging::Asker& asker, uint32_t first,
                                             uint32_t count);

std::optional<messaging::BulkInfo> stop_bulk(const MessagingService& service, const std::string& id,
                                             const messaging::Asker& asker);

}  // namespace patchbay
