// Any bytes as each message: either refused, or read to a value that survives writing and reading.
#include <cstdlib>
#include <patchbay/sdk.hpp>

namespace {

template <class T>
void check(std::string_view bytes) {
    using namespace patchbay;
    T value;
    try {
        wire::read(bytes, value, wire::Text::checked);
    } catch (const wire::Malformed&) {
        return;
    }
    const std::string once = wire::write(value);
    T again;
    wire::read(once, again, wire::Text::checked);
    if (wire::write(again) != once) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    using namespace patchbay;
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    switch (data[0] % 8) {
        case 0:
            check<Event>(bytes);
            break;
        case 1:
            check<OutboundMessage>(bytes);
            break;
        case 2:
            check<Request>(bytes);
            break;
        case 3:
            check<Route>(bytes);
            break;
        case 4:
            check<StepResult>(bytes);
            break;
        case 5:
            check<tables::Rows>(bytes);
            break;
        case 6:
            check<detail::Schema>(bytes);
            break;
        default:
            check<tables::TableStep>(bytes);
    }
    return 0;
}
