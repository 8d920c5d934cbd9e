// Any body: either refused, or decoded to pairs that encode and decode to themselves.
#include <cstdlib>
#include <patchbay/form.hpp>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace patchbay;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    Form form;
    try {
        form = Form::parse(body);
    } catch (const RequestError&) {
        return 0;
    }
    for (const auto& [name, value] : form.all())
        if (!is_utf8(name) || !is_utf8(value)) std::abort();
    if (Form::parse(form.encode()).all() != form.all()) std::abort();
    return 0;
}
