#include "delivery/bulk_draft.hpp"

#include "base/json.hpp"
#include "delivery/outbound.hpp"

namespace patchbay {
namespace {

JsonArray media_json(const std::vector<Media>& media) {
    JsonArray list = make_array();
    for (const Media& one : media) {
        JsonObject json = make_object();
        json->set("id", one.id);
        json->set("url", one.url);
        json->set("type", one.type);
        json->set("name", one.name);
        list->add(json);
    }
    return list;
}

std::vector<Media> media_from(const JsonObject& object) {
    std::vector<Media> media;
    const JsonArray list = object->getArray("media");
    for (size_t i = 0; list && i < list->size(); ++i) {
        const JsonObject one = list->getObject(static_cast<unsigned>(i));
        Media item;
        item.id = text_at(one, "id").value_or("");
        item.url = text_at(one, "url").value_or("");
        item.type = text_at(one, "type").value_or("");
        item.name = text_at(one, "name").value_or("");
        media.push_back(std::move(item));
    }
    return media;
}

JsonObject caller_json(const Caller& caller) {
    JsonArray departments = make_array();
    for (const std::string& department : caller.departments) departments->add(department);
    JsonObject json = make_object();
    json->set("kind", caller.kind);
    json->set("id", caller.id);
    json->set("role", caller.role);
    json->set("departments", departments);
    return json;
}

Caller caller_from(const JsonValue& json) {
    Caller caller;
    caller.kind = text_at(json, "kind").value_or("");
    caller.id = text_at(json, "id").value_or("");
    caller.role = text_at(json, "role").value_or("");
    const JsonValue departments = value_at(json, "departments");
    if (departments.type() != typeid(JsonArray)) return caller;
    for (const JsonValue& one : *departments.extract<JsonArray>()) {
        caller.departments.push_back(one.toString());
    }
    return caller;
}

}  // namespace

std::string bulk_draft_json(const Draft& draft, const Caller& caller) {
    JsonObject json = make_object();
    json->set("text", draft.text);
    json->set("kind", draft.kind);
    json->set("attributes", draft.attributes);
    json->set("sender_id", json_or_null(draft.sender_id));
    json->set("sender_name", draft.sender_name);
    json->set("trace", draft.trace);
    json->set("mode", draft.mode);
    json->set("reopen", draft.reopen);
    json->set("media", media_json(draft.media));
    if (draft.from_template) json->set("template", template_json(*draft.from_template));
    json->set("caller", caller_json(caller));
    return to_json(json);
}

BulkDraft bulk_draft_from(const std::string& text) {
    const JsonObject json = parse_json_object(std::string_view(text));
    BulkDraft out;
    Draft& draft = out.draft;
    draft.text = text_at(json, "text").value_or("");
    draft.kind = text_at(json, "kind").value_or("text");
    draft.attributes = text_at(json, "attributes").value_or("{}");
    draft.sender_id = text_at(json, "sender_id");
    draft.sender_name = text_at(json, "sender_name").value_or("");
    draft.trace = text_at(json, "trace").value_or("");
    draft.mode = text_at(json, "mode").value_or("flow");
    draft.reopen = json->optValue("reopen", false);
    draft.media = media_from(json);
    if (const JsonObject object = json->getObject("template")) {
        draft.from_template = template_from(object);
    }
    out.caller = caller_from(json->get("caller"));
    return out;
}

}  // namespace patchbay
