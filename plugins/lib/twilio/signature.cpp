#include "signature.hpp"

#include <set>

namespace patchbay::twilio {

std::string signed_text(const std::string& url, const Form& form) {
    const std::set<Form::Pair> fields{form.all().begin(), form.all().end()};
    std::string text = url;
    for (const auto& [name, value] : fields) text += name + value;
    return text;
}

}  // namespace patchbay::twilio
