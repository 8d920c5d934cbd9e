// A list of rooms: a small product of its own on the hub, with a table, an API and a WebSocket.
//
//   GET  /api/rooms/   {"rooms": [{"id": 1, "name": "Blue", "floor": 2}]}
//   POST /api/rooms/   {"name": "Blue", "floor": 2} -> 201 and the room; 409 when the name is taken
//   GET  /ws/rooms/    the whole list, then {"room": {...}} for each new one

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <patchbay/sdk.hpp>
#include <sstream>

namespace patchbay::rooms {
namespace {

const std::string all_rooms = "rooms";  // The topic of the sockets.

struct Config {
    int64_t floors = 0;
};

Config read_config(ConfigReader& yaml) {
    return {.floors = yaml.optional_int("floors", 10, 1, 200, "How many floors the house has")};
}

struct Room {
    int64_t id = 0;
    std::string name;
    int64_t floor = 0;
};

class Rooms final : public Plugin, public HttpApi, public SocketHandler {
public:
    static std::vector<tables::Migration> migrations();

    Rooms(Config config, Host host) : config_(config), host_(host) {}

    std::vector<ApiRoute> api_routes() const override;
    Response answer(const Call& call, const Request& request) override;
    std::vector<SocketRoute> socket_routes() const override;
    SocketReply opened(const Call& call, const SocketMessage& socket) override;

private:
    Room room_from(const std::string& body) const;
    Room add(Room room) const;
    std::string list() const;

    const Config config_;
    const Host host_;
};

std::string text_of(const Poco::JSON::Object& json) {
    std::ostringstream text;
    json.stringify(text);
    return text.str();
}

Poco::JSON::Object json_of(const Room& room) {
    Poco::JSON::Object json(Poco::JSON_PRESERVE_KEY_ORDER);
    json.set("id", room.id);
    json.set("name", room.name);
    json.set("floor", room.floor);
    return json;
}

Response json_response(int status, std::string body) {
    return {.status = status,
            .body = std::move(body),
            .headers = {{"content-type", "application/json"}}};
}

// Run once, before the first instance starts. A change is a new migration, never another text.
std::vector<tables::Migration> Rooms::migrations() {
    return {{.version = 1,
             .name = "rooms",
             .sql = "CREATE TABLE rooms_rooms (id BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, "
                    "floor BIGINT NOT NULL);"
                    "CREATE UNIQUE INDEX rooms_rooms_name ON rooms_rooms (name)"}};
}

std::vector<ApiRoute> Rooms::api_routes() const {
    return {{.name = "list", .method = "GET", .path = "/api/rooms/", .about = "All rooms"},
            {.name = "add",
             .method = "POST",
             .path = "/api/rooms/",
             .about = "One room more",
             .callers = {"owner", "admin", "agent"}}};
}

Response Rooms::answer(const Call&, const Request& request) {
    if (request.route == "list") return json_response(200, list());
    return json_response(201, text_of(json_of(add(room_from(request.body)))));
}

std::vector<SocketRoute> Rooms::socket_routes() const {
    return {{.name = "live", .path = "/ws/rooms/", .about = "The list, then each new room"}};
}

// Who joins a topic misses nothing: what is pushed from here on comes behind the list.
SocketReply Rooms::opened(const Call&, const SocketMessage&) {
    return {.messages = {list()}, .join = {all_rooms}};
}

Room Rooms::room_from(const std::string& body) const try {
    const auto json = Poco::JSON::Parser().parse(body).extract<Poco::JSON::Object::Ptr>();
    const Room room{.name = json->optValue<std::string>("name", ""),
                    .floor = json->optValue<int64_t>("floor", 0)};
    if (room.name.empty()) throw RequestError(422, "\"name\" is missing");
    if (room.floor < 0 || room.floor >= config_.floors)
        throw RequestError(422, "the house has no such floor");
    return room;
} catch (const Poco::Exception&) {
    throw RequestError(422, "expected {\"name\": \"...\", \"floor\": 0}");
}

Room Rooms::add(Room room) const try {
    const tables::Rows rows =
        host_.query({.sql = "INSERT INTO rooms_rooms (id, name, floor) SELECT COALESCE(MAX(id), 0) "
                            "+ 1, $1, $2 FROM rooms_rooms RETURNING id",
                     .params = {room.name, room.floor}});
    room.id = rows.rows.at(0)[0].integer.value();
    Poco::JSON::Object news;
    news.set("room", json_of(room));
    host_.push(all_rooms, text_of(news));
    return room;
} catch (const Error& error) {
    if (error.kind != ErrorKind::conflict) throw;
    throw RequestError(409, "there is a room of this name");
}

std::string Rooms::list() const {
    Poco::JSON::Array rooms;
    for (const tables::Row& row :
         host_.query({.sql = "SELECT id, name, floor FROM rooms_rooms ORDER BY id"}).rows) {
        rooms.add(json_of({row[0].integer.value(), row[1].text.value(), row[2].integer.value()}));
    }
    Poco::JSON::Object json;
    json.set("rooms", rooms);
    return text_of(json);
}

}  // namespace
PATCHBAY_PLUGIN(rooms, "1.0.0", Rooms, read_config, "tables/1", "sockets/1")
}  // namespace patchbay::rooms
