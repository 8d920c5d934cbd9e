// What is noted (Transaction::note) for those who listen: the console's socket, rules. The id is
// that of the object.
#pragma once

namespace patchbay::changes {

inline constexpr const char* message_created = "message.created";
inline constexpr const char* message_status = "message.status";
inline constexpr const char* conversation_created = "conversation.created";
inline constexpr const char* conversation_updated = "conversation.updated";
inline constexpr const char* conversation_closed = "conversation.closed";
inline constexpr const char* conversation_read = "read";
inline constexpr const char* delivery_changed = "delivery.changed";  ///< Of the job.

}  // namespace patchbay::changes
