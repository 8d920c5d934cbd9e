#include "api/answers.hpp"

#include "base/time_text.hpp"

namespace patchbay {

Response json_response(int status, const JsonValue& value) {
    Response response;
    response.status = status;
    response.body = to_json(value);
    response.headers["content-type"] = "application/json";
    return response;
}

void answer_json(const ExchangePtr& exchange, int status, const JsonValue& value) {
    exchange->answer(json_response(status, value));
}

JsonObject list_json(const JsonArray& items, const std::optional<std::string>& next) {
    JsonObject list = make_object();
    list->set("items", items);
    list->set("next", json_or_null(next));
    return list;
}

JsonValue time_json(TimeMs at) { return rfc3339_ms(at); }

JsonValue time_json(const std::optional<TimeMs>& at) {
    return at ? JsonValue(rfc3339_ms(*at)) : json_null();
}

JsonValue json_or_empty_object(const std::string& text) {
    try {
        return parse_json_object(std::string_view(text));
    } catch (const JsonError&) {
        return make_object();
    }
}

JsonArray json_texts(const std::vector<std::string>& texts) {
    JsonArray array = make_array();
    for (const auto& text : texts) array->add(text);
    return array;
}

Problem unknown_id(const std::string& what) {
    return Problem("unknown_id", "There is no such " + what + ".");
}

}  // namespace patchbay
