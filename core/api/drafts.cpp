#include "api/drafts.hpp"

namespace patchbay {
namespace {

constexpr size_t max_text_bytes = 64 << 10;
constexpr size_t max_attribute_bytes = 16 << 10;
constexpr size_t max_media = 20;

std::vector<Media> read_media(Fields& fields) {
    std::vector<Media> media;
    const JsonArray list = fields.array("media");
    for (size_t i = 0; list && i < list->size() && i < max_media; ++i) {
        const std::string place = "media/" + std::to_string(i);
        const JsonValue value = list->get(static_cast<unsigned>(i));
        if (value.type() != typeid(JsonObject)) {
            fields.refuse(place, "invalid_field", "must be an object");
            continue;
        }
        Fields one(value.extract<JsonObject>(), "/" + place);
        Media item;
        item.id = one.text("id").value_or("");
        item.url = one.text("url").value_or("");
        item.type = one.text("type", 200).value_or("");
        item.name = one.text("name", 200).value_or("");
        fields.include(one);
        if (item.id.empty() == item.url.empty()) {
            fields.refuse(place, "invalid_field", "needs either id or url");
        } else if (!item.url.empty() && !item.url.starts_with("https://")) {
            fields.refuse(place + "/url", "invalid_field", "must be an https URL");
        }
        media.push_back(std::move(item));
    }
    if (list && list->size() > max_media) {
        fields.refuse("media", "invalid_field", "has more than 20 entries");
    }
    return media;
}

std::optional<Template> read_template(Fields& fields) {
    const JsonObject object = fields.object("template");
    if (!object) return std::nullopt;
    Fields part(object, "/template");
    Template out;
    out.name = part.required_text("name", 512);
    out.language = part.text("language", 35).value_or("");
    out.params = part.texts("params").value_or(std::vector<std::string>{});
    fields.include(part);
    return out;
}

}  // namespace

void read_content(Fields& fields, Draft& draft) {
    draft.text = fields.text("text", max_text_bytes).value_or("");
    draft.limit_repeats = true;
    draft.media = read_media(fields);
    draft.from_template = read_template(fields);
    if (const JsonObject attributes = fields.object("attributes")) {
        draft.attributes = to_json(attributes);
        if (draft.attributes.size() > max_attribute_bytes) {
            fields.refuse("attributes", "invalid_field", "is larger than 16 KiB");
        }
    }
    if (!fields.has("text") && !fields.has("media") && !fields.has("template")) {
        fields.refuse("text", "missing_field", "or media or template is required");
    } else if (draft.text.empty() && draft.media.empty() && !draft.from_template) {
        fields.refuse("text", "invalid_field", "must not be empty");
    }
}

void set_sender(Draft& draft, const Caller& caller) {
    draft.sender_type = "staff";
    draft.sender_name = caller.name;
    if (caller.kind == "user") draft.sender_id = caller.id;
}

std::shared_ptr<const InstanceConfig> require_channel(const ApiContext& context,
                                                      const std::string& name) {
    const ConfigPtr config = context.config();
    const InstanceConfig* configured = find_instance(*config, name);
    bool carries = configured != nullptr;
    if (context.plugins && carries) {
        const auto info = context.plugins->find(name);
        carries = !info || info->provides.empty() ||
                  std::find(info->provides.begin(), info->provides.end(), "channel/1") !=
                      info->provides.end();
    }
    if (!carries) {
        throw Problem("unknown_channel", "There is no channel \"" + name + "\".",
                      {{"/channel", "unknown_channel", "names none"}});
    }
    return {config, configured};
}

SendLimits limits_of(const ApiContext& context, const std::string& channel) {
    if (!context.plugins) return {};
    const PluginLeasePtr lease = context.plugins->lease(channel);
    return lease && lease->provides("channel/1") ? SendLimits::of(lease->capabilities())
                                                 : SendLimits{};
}

}  // namespace patchbay
