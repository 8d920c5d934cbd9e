// Reading the JSON object of a request: every faulty field is gathered, unknown ones are refused
// (S33).
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "http/message.hpp"
#include "http/problem.hpp"

namespace patchbay {

class Fields {
public:
    /// Throws Problem invalid_json, length_required.
    explicit Fields(const HttpRequest& request);
    /// A part of a request, at `pointer`.
    Fields(JsonObject object, std::string pointer);

    bool has(const std::string& name) const;      ///< Present and not null.
    bool is_null(const std::string& name) const;  ///< Present as null: nothing, said on purpose.
    std::optional<std::string> text(const std::string& name, size_t most_bytes = 4096);
    std::string required_text(const std::string& name, size_t most_bytes = 4096);
    std::optional<bool> flag(const std::string& name);
    std::optional<int64_t> number(const std::string& name);
    std::optional<std::vector<std::string>> texts(const std::string& name, size_t most = 100);
    JsonObject object(const std::string& name);  ///< Null pointer when absent.
    JsonArray array(const std::string& name);    ///< Null pointer when absent.

    void refuse(const std::string& name, const std::string& code, const std::string& detail);
    /// An extra member of the Problem, its value as JSON text.
    void tell(const std::string& key, const std::string& json_value);
    /// Takes over what is wrong with a part.
    void include(const Fields& part);
    /// Throws the Problem that names all faulty fields, if there is one. To be called before
    /// anything is done.
    void done();

private:
    void check_unknown();
    JsonObject object_;
    std::string pointer_;
    std::vector<std::string> known_;
    std::vector<FieldProblem> problems_;
    Labels extra_;
};

}  // namespace patchbay
