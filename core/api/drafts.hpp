// What requests that send have in common.
#pragma once
#include "api/api.hpp"
#include "api/fields.hpp"
#include "delivery/outbox.hpp"

namespace patchbay {

/// text, media, template, attributes: one of the first three is required.
void read_content(Fields& fields, Draft& draft);

void set_sender(Draft& draft, const Caller& caller);

/// The instance carries messages. A failed or disabled one is no mistake of the caller: the message
/// waits for it. Throws Problem unknown_channel.
std::shared_ptr<const InstanceConfig> require_channel(const ApiContext& context,
                                                      const std::string& name);

/// What the channel can carry, as far as is known now.
SendLimits limits_of(const ApiContext& context, const std::string& channel);

}  // namespace patchbay
