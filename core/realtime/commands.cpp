#include "realtime/commands.hpp"

#include <array>

#include "base/json.hpp"

namespace patchbay {
namespace {

constexpr size_t max_id_bytes = 64;
constexpr size_t max_topic_bytes = 64;
constexpr JsonLimits limits{.depth = 3, .members = 1000};

using Kind = Command::Kind;

struct KindWord {
    const char* word;
    Kind kind;
    std::vector<std::string_view> fields;  // Besides type and id.
};

const std::vector<KindWord>& kinds() {
    static const std::vector<KindWord> all = {
        {"auth", Kind::auth, {"token"}},
        {"subscribe", Kind::subscribe, {"topics"}},
        {"unsubscribe", Kind::unsubscribe, {"topics"}},
        {"resume", Kind::resume, {"since", "topics"}},
        {"typing", Kind::typing, {"conversation_id", "is_typing"}},
        {"ping", Kind::ping, {}},
    };
    return all;
}

/// Reads one command's fields and refuses the first that is wrong.
class Reader {
public:
    explicit Reader(JsonObject json) : json_(std::move(json)) {}

    std::optional<std::string> id() {
        if (!json_->has("id")) return std::nullopt;
        const std::string id = text("id");
        if (id.size() > max_id_bytes) refuse("invalid_field", "id may have 64 bytes at most");
        id_ = id;
        return id;
    }
    std::string text(const std::string& key) {
        const JsonValue& value = require(key);
        if (!value.isString()) refuse("invalid_field", key + " must be a text");
        return value.extract<std::string>();
    }
    bool boolean(const std::string& key) {
        const JsonValue& value = require(key);
        if (!value.isBoolean()) refuse("invalid_field", key + " must be true or false");
        return value.convert<bool>();
    }
    int64_t number(const std::string& key) {
        const JsonValue& value = require(key);
        if (!value.isInteger()) refuse("invalid_field", key + " must be a whole number");
        return value.convert<int64_t>();
    }
    /// "31", 31 or an id.
    std::string id_or_number(const std::string& key) {
        return require(key).isInteger() ? std::to_string(number(key)) : text(key);
    }
    std::vector<std::string> topics() {
        const JsonValue& value = require("topics");
        if (value.type() != typeid(JsonArray)) refuse("invalid_field", "topics must be a list");
        std::vector<std::string> out;
        for (const JsonValue& one : *value.extract<JsonArray>()) {
            if (!one.isString() || one.extract<std::string>().size() > max_topic_bytes)
                refuse("invalid_field", "topics must be texts of 64 bytes at most");
            out.push_back(one.extract<std::string>());
        }
        return out;
    }
    void only(const std::vector<std::string_view>& known) {
        for (const auto& [key, value] : *json_) {
            if (key == "type" || key == "id") continue;
            if (std::find(known.begin(), known.end(), key) == known.end())
                refuse("unknown_field", "a field is unknown in this command");
        }
    }
    [[noreturn]] void refuse(const std::string& code, const std::string& message) const {
        throw CommandRefused{id_, code, message};
    }

private:
    const JsonValue& require(const std::string& key) {
        value_ = json_->get(key);
        if (value_.isEmpty()) refuse("missing_field", key + " is missing");
        return value_;
    }

    JsonObject json_;
    JsonValue value_;
    std::optional<std::string> id_;
};

JsonObject message(const char* type, const std::optional<std::string>& id = std::nullopt) {
    JsonObject json = make_object();
    json->set("type", std::string(type));
    if (id) json->set("id", *id);
    return json;
}

JsonArray texts(const std::vector<std::string>& all) {
    JsonArray array = make_array();
    for (const std::string& one : all) array->add(one);
    return array;
}

JsonArray refused_json(const std::vector<RefusedTopic>& refused) {
    JsonArray array = make_array();
    for (const RefusedTopic& one : refused) {
        JsonObject json = make_object();
        json->set("topic", one.topic);
        json->set("code", one.code);
        array->add(json);
    }
    return array;
}

JsonObject object_of(const std::string& text) try {
    return parse_json_object(std::string_view(text), limits);
} catch (const JsonError& error) {
    throw CommandRefused{std::nullopt, "invalid_json", error.what()};
}

}  // namespace

Command parse_command(const std::string& text) {
    Reader reader(object_of(text));
    Command command;
    command.id = reader.id();
    const std::string type = reader.text("type");
    const auto known = std::find_if(kinds().begin(), kinds().end(),
                                    [&](const KindWord& one) { return type == one.word; });
    if (known == kinds().end()) reader.refuse("unknown_command", "there is no such command");
    command.kind = known->kind;
    reader.only(known->fields);
    switch (command.kind) {
        case Kind::auth:
            command.token = reader.text("token");
            break;
        case Kind::resume:
            command.since = reader.number("since");
            [[fallthrough]];
        case Kind::subscribe:
        case Kind::unsubscribe:
            command.topics = reader.topics();
            break;
        case Kind::typing:
            command.conversation = reader.id_or_number("conversation_id");
            command.is_typing = reader.boolean("is_typing");
            break;
        case Kind::ping:
            break;
    }
    return command;
}

namespace frames {

std::string hello(const Caller& caller, int64_t seq, const std::string& version) {
    JsonObject user = make_object();
    user->set("id", caller.id);
    user->set("number", caller.number);
    user->set("role", caller.role);
    JsonObject json = message("hello");
    json->set("user", user);
    json->set("seq", seq);
    json->set("server", version);
    return to_json(json);
}

std::string subscribed(const std::optional<std::string>& id, const std::vector<std::string>& topics,
                       const std::vector<RefusedTopic>& refused, int64_t seq) {
    JsonObject json = message("subscribed", id);
    json->set("topics", texts(topics));
    json->set("refused", refused_json(refused));
    json->set("seq", seq);
    return to_json(json);
}

std::string unsubscribed(const std::optional<std::string>& id,
                         const std::vector<std::string>& topics) {
    JsonObject json = message("unsubscribed", id);
    json->set("topics", texts(topics));
    return to_json(json);
}

std::string resumed(const std::optional<std::string>& id, const std::vector<RefusedTopic>& refused,
                    int64_t seq) {
    JsonObject json = message("resumed", id);
    if (!refused.empty()) json->set("refused", refused_json(refused));
    json->set("seq", seq);
    return to_json(json);
}

std::string resync(const std::optional<std::string>& id, const std::string& reason, int64_t seq) {
    JsonObject json = message("resync", id);
    json->set("reason", reason);
    json->set("seq", seq);
    return to_json(json);
}

std::string pong(const std::optional<std::string>& id) { return to_json(message("pong", id)); }

std::string error(const CommandRefused& refused) {
    JsonObject json = message("error", refused.id);
    json->set("code", refused.code);
    json->set("message", refused.message);
    return to_json(json);
}

std::string event(int64_t seq, int64_t prev, std::string_view topic) {
    std::string text = R"({"type":"event","seq":)";
    text.append(std::to_string(seq)).append(R"(,"prev":)").append(std::to_string(prev));
    return text.append(R"(,"topic":")").append(topic).append("\"");
}

}  // namespace frames
}  // namespace patchbay
