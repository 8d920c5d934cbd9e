#include "api/fields.hpp"

#include "http/json_body.hpp"

namespace patchbay {

Fields::Fields(const HttpRequest& request) : object_(parse_json_object(request)) {}

Fields::Fields(JsonObject object, std::string pointer)
    : object_(std::move(object)), pointer_(std::move(pointer)) {}

bool Fields::has(const std::string& name) const {
    return object_->has(name) && !object_->get(name).isEmpty();
}

bool Fields::is_null(const std::string& name) const {
    return object_->has(name) && object_->get(name).isEmpty();
}

std::optional<std::string> Fields::text(const std::string& name, size_t most_bytes) {
    known_.push_back(name);
    if (!has(name)) return std::nullopt;
    const JsonValue value = object_->get(name);
    if (!value.isString()) {
        refuse(name, "invalid_field", "must be a text");
        return std::nullopt;
    }
    std::string text = value.extract<std::string>();
    if (text.size() <= most_bytes) return text;
    refuse(name, "invalid_field", "is longer than " + std::to_string(most_bytes) + " bytes");
    return std::nullopt;
}

std::string Fields::required_text(const std::string& name, size_t most_bytes) {
    if (!has(name)) {
        known_.push_back(name);
        refuse(name, "missing_field", "is required");
        return {};
    }
    auto value = text(name, most_bytes);
    if (value && value->empty()) refuse(name, "invalid_field", "must not be empty");
    return value.value_or("");
}

std::optional<bool> Fields::flag(const std::string& name) {
    known_.push_back(name);
    if (!has(name)) return std::nullopt;
    const JsonValue value = object_->get(name);
    if (value.isBoolean()) return value.extract<bool>();
    refuse(name, "invalid_field", "must be true or false");
    return std::nullopt;
}

std::optional<int64_t> Fields::number(const std::string& name) {
    known_.push_back(name);
    if (!has(name)) return std::nullopt;
    const JsonValue value = object_->get(name);
    if (value.isInteger() && !value.isBoolean()) return value.convert<int64_t>();
    refuse(name, "invalid_field", "must be a whole number");
    return std::nullopt;
}

std::optional<std::vector<std::string>> Fields::texts(const std::string& name, size_t most) {
    const JsonArray list = array(name);
    if (!list) return std::nullopt;
    std::vector<std::string> out;
    for (size_t i = 0; i < list->size() && i < most; ++i) {
        const JsonValue item = list->get(static_cast<unsigned>(i));
        if (item.isString()) {
            out.push_back(item.extract<std::string>());
        } else {
            refuse(name + "/" + std::to_string(i), "invalid_field", "must be a text");
        }
    }
    if (list->size() > most) {
        refuse(name, "invalid_field", "has more than " + std::to_string(most) + " entries");
    }
    return out;
}

JsonObject Fields::object(const std::string& name) {
    known_.push_back(name);
    if (!has(name)) return {};
    const JsonValue value = object_->get(name);
    if (value.type() == typeid(JsonObject)) return value.extract<JsonObject>();
    refuse(name, "invalid_field", "must be an object");
    return {};
}

JsonArray Fields::array(const std::string& name) {
    known_.push_back(name);
    if (!has(name)) return {};
    const JsonValue value = object_->get(name);
    if (value.type() == typeid(JsonArray)) return value.extract<JsonArray>();
    refuse(name, "invalid_field", "must be an array");
    return {};
}

void Fields::refuse(const std::string& name, const std::string& code, const std::string& detail) {
    problems_.push_back({pointer_ + "/" + name, code, detail});
}

void Fields::tell(const std::string& key, const std::string& json_value) {
    extra_[key] = json_value;
}

void Fields::include(const Fields& part) {
    Fields copy = part;
    copy.check_unknown();
    problems_.insert(problems_.end(), copy.problems_.begin(), copy.problems_.end());
}

void Fields::check_unknown() {
    for (const auto& name : object_->getNames()) {
        if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
            refuse(name, "unknown_field", "is unknown here");
        }
    }
}

void Fields::done() {
    check_unknown();
    if (problems_.empty()) return;
    const FieldProblem& first = problems_.front();
    Problem problem(first.code, first.pointer.substr(1) + " " + first.detail + ".", problems_);
    problem.extra = extra_;
    throw problem;
}

}  // namespace patchbay
