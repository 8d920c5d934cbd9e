// The numbers of all calls, both ways. They are for ever: add, never renumber or reuse. Arguments
// are fields 1, 2, ... in the order given behind each number, the answer is field 1.
#pragma once
#include <cstdint>
#include <iterator>
#include <string_view>

namespace patchbay::method {

// Host to plugin. Below 1000.
enum : uint32_t {
    drain = 1,        // (left)
    reconfigure = 2,  // (changed keys, configuration) -> done
    on_timer = 3,     // (name, payload)
    on_task = 4,      // (name, payload)

    capabilities = 101,  // channel/1 () -> Capabilities
    send = 102,          // (Call, OutboundMessage) -> SendResult
    look_up = 103,       // (Call, OutboundMessage) -> optional SendResult
    list_since = 104,    // (Call, since_ms) -> Events
    mark_read = 105,     // (Call, Mark)
    typing = 106,        // (Call, Mark)

    routes = 201,        // webhook/1 () -> Routes
    is_authentic = 202,  // (Call, Request) -> bool
    receive = 203,       // (Call, Request) -> Events
    respond = 204,       // (Call, Request) -> Response

    topics = 301,  // events/1 () -> texts
    handle = 302,  // (Call, Event)

    steps = 401,  // flow/1 () -> StepInfos
    run = 402,    // (Call, StepInput) -> StepResult

    api_routes = 501,  // http/1 () -> ApiRoutes
    answer = 502,      // (Call, Request) -> Response

    health = 601,  // health/1 (Call) -> Health

    export_state = 701,  // handover/1 () -> bytes
    import_state = 702,  // (from version, bytes)

    operations = 801,  // operations/1 () -> OperationInfos
    perform = 802,     // (Call, OperationInput) -> JSON

    socket_routes = 901,   // sockets/1 () -> SocketRoutes
    socket_opened = 902,   // (Call, SocketMessage) -> SocketReply
    socket_message = 903,  // (Call, SocketMessage) -> SocketReply
    socket_closed = 904,   // (Call, SocketMessage)
};

// Plugin to host. 1000 and above.
enum : uint32_t {
    interfaces = 1001,  // () -> texts: what the host offers; always there

    log = 1101,  // log/1 (level, text, fields)

    now = 1201,     // clock/1 () -> ms since 1970
    new_id = 1202,  // () -> text

    count = 1301,    // metrics/1 (name, add, labels)
    gauge = 1302,    // (name, value, labels)
    observe = 1303,  // (name, value, labels)

    kv_find = 1401,   // kv/1 (key) -> optional Stored
    kv_store = 1402,  // (key, bytes, ttl, optional version) -> version
    kv_erase = 1403,  // (key)
    kv_keys = 1404,   // (prefix, limit) -> texts

    http = 1501,  // http-client/1 (Call, Request, HttpOptions) -> Response

    fetch_media = 1601,  // blobs/1 (Call, Request) -> Media
    store_media = 1602,  // (type, bytes) -> Media
    read_media = 1603,   // (id) -> bytes
    media_link = 1604,   // (id, valid for) -> url

    publish = 1701,  // events/1 (Event)

    timer_every = 1801,   // timers/1 (period, name) -> number
    timer_after = 1802,   // (delay, name, payload) -> number
    timer_cancel = 1803,  // (number)

    post = 1901,  // tasks/1 (name, payload)

    public_url = 2001,  // webhook/1 (route) -> url

    hmac = 2101,          // crypto/1 (algorithm, key bytes, data bytes) -> bytes
    digest = 2102,        // (algorithm, data bytes) -> bytes
    random_bytes = 2103,  // (count) -> bytes
    sign = 2104,          // (algorithm, private key PEM, data bytes) -> bytes

    find_contact = 2201,         // messaging/1 (Address) -> optional ContactInfo
    contact = 2202,              // (id) -> optional ContactInfo
    save_contact = 2203,         // (ContactInfo) -> ContactInfo
    conversation = 2204,         // (id) -> optional ConversationInfo
    open_conversation = 2205,    // (NewConversation) -> ConversationInfo
    change_conversation = 2206,  // (ConversationChange) -> ConversationInfo
    list_conversations = 2207,   // (ConversationQuery) -> ConversationInfos
    send_message = 2208,         // (Call, NewMessage) -> MessageInfo
    message = 2209,              // (id) -> optional MessageInfo
    list_messages = 2210,        // (MessageQuery) -> MessageInfos
    read_conversation = 2211,    // (id, user, seq)
    start_bulk = 2212,           // (Call, NewBulk) -> BulkInfo
    find_bulk = 2213,            // (id, Asker, first result, count) -> optional BulkInfo
    stop_bulk = 2214,            // (id, Asker) -> optional BulkInfo
    channel_state = 2215,        // () -> ChannelState

    operation_call = 2301,   // operations/1 (Call, OperationCall) -> JSON
    operation_queue = 2302,  // (OperationCall)

    table_query = 2401,        // tables/1 (Statement) -> Rows
    table_transaction = 2402,  // (TableSteps) -> Rows of each

    socket_push = 2501,       // sockets/1 (topic, text)
    socket_push_to = 2502,    // (socket, text)
    socket_close = 2503,      // (socket, code, reason)
    socket_listeners = 2504,  // (topic) -> count

    find_user = 2601,   // identity/1 (UserQuery) -> optional UserInfo
    list_users = 2602,  // (UserQuery) -> UserInfos
    save_user = 2603,   // (NewUser) -> UserInfo
    sign_in = 2604,     // (SignIn) -> SignedIn
};

struct Entry {
    uint32_t number;
    const char* interface_id;
    const char* name;
};

/// All of them, in ascending order.
inline constexpr Entry all[] = {
    {drain, "plugin/1", "drain"},
    {reconfigure, "plugin/1", "reconfigure"},
    {on_timer, "plugin/1", "on_timer"},
    {on_task, "plugin/1", "on_task"},
    {capabilities, "channel/1", "capabilities"},
    {send, "channel/1", "send"},
    {look_up, "channel/1", "look_up"},
    {list_since, "channel/1", "list_since"},
    {mark_read, "channel/1", "mark_read"},
    {typing, "channel/1", "typing"},
    {routes, "webhook/1", "routes"},
    {is_authentic, "webhook/1", "is_authentic"},
    {receive, "webhook/1", "receive"},
    {respond, "webhook/1", "respond"},
    {topics, "events/1", "topics"},
    {handle, "events/1", "handle"},
    {steps, "flow/1", "steps"},
    {run, "flow/1", "run"},
    {api_routes, "http/1", "api_routes"},
    {answer, "http/1", "answer"},
    {health, "health/1", "health"},
    {export_state, "handover/1", "export_state"},
    {import_state, "handover/1", "import_state"},
    {operations, "operations/1", "operations"},
    {perform, "operations/1", "perform"},
    {socket_routes, "sockets/1", "socket_routes"},
    {socket_opened, "sockets/1", "socket_opened"},
    {socket_message, "sockets/1", "socket_message"},
    {socket_closed, "sockets/1", "socket_closed"},
    {interfaces, "host/1", "interfaces"},
    {log, "log/1", "log"},
    {now, "clock/1", "now"},
    {new_id, "clock/1", "new_id"},
    {count, "metrics/1", "count"},
    {gauge, "metrics/1", "gauge"},
    {observe, "metrics/1", "observe"},
    {kv_find, "kv/1", "kv_find"},
    {kv_store, "kv/1", "kv_store"},
    {kv_erase, "kv/1", "kv_erase"},
    {kv_keys, "kv/1", "kv_keys"},
    {http, "http-client/1", "http"},
    {fetch_media, "blobs/1", "fetch_media"},
    {store_media, "blobs/1", "store_media"},
    {read_media, "blobs/1", "read_media"},
    {media_link, "blobs/1", "media_link"},
    {publish, "events/1", "publish"},
    {timer_every, "timers/1", "timer_every"},
    {timer_after, "timers/1", "timer_after"},
    {timer_cancel, "timers/1", "timer_cancel"},
    {post, "tasks/1", "post"},
    {public_url, "webhook/1", "public_url"},
    {hmac, "crypto/1", "hmac"},
    {digest, "crypto/1", "digest"},
    {random_bytes, "crypto/1", "random_bytes"},
    {sign, "crypto/1", "sign"},
    {find_contact, "messaging/1", "find_contact"},
    {contact, "messaging/1", "contact"},
    {save_contact, "messaging/1", "save_contact"},
    {conversation, "messaging/1", "conversation"},
    {open_conversation, "messaging/1", "open_conversation"},
    {change_conversation, "messaging/1", "change_conversation"},
    {list_conversations, "messaging/1", "list_conversations"},
    {send_message, "messaging/1", "send_message"},
    {message, "messaging/1", "message"},
    {list_messages, "messaging/1", "list_messages"},
    {read_conversation, "messaging/1", "read_conversation"},
    {start_bulk, "messaging/1", "start_bulk"},
    {find_bulk, "messaging/1", "find_bulk"},
    {stop_bulk, "messaging/1", "stop_bulk"},
    {channel_state, "messaging/1", "channel_state"},
    {operation_call, "operations/1", "operation_call"},
    {operation_queue, "operations/1", "operation_queue"},
    {table_query, "tables/1", "table_query"},
    {table_transaction, "tables/1", "table_transaction"},
    {socket_push, "sockets/1", "socket_push"},
    {socket_push_to, "sockets/1", "socket_push_to"},
    {socket_close, "sockets/1", "socket_close"},
    {socket_listeners, "sockets/1", "socket_listeners"},
    {find_user, "identity/1", "find_user"},
    {list_users, "identity/1", "list_users"},
    {save_user, "identity/1", "save_user"},
    {sign_in, "identity/1", "sign_in"},
};

/// nullptr for a number that nothing has.
constexpr const Entry* find(uint32_t number) {
    for (const Entry& entry : all)
        if (entry.number == number) return &entry;
    return nullptr;
}

}  // namespace patchbay::method
