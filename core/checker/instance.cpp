#include "checker/instance.hpp"

namespace patchbay::checker {

std::string Answer::words() const {
    return std::string(patchbay::word(kind)) + (error.text.empty() ? "" : ": " + error.text);
}

Answer answer_of(int32_t status, const std::string& bytes) {
    Answer answer;
    if (status == 0) {
        answer.bytes = bytes;
        return answer;
    }
    const bool is_kind = status > 0 && status <= static_cast<int32_t>(ErrorKind::internal);
    answer.kind = is_kind ? static_cast<ErrorKind>(status) : ErrorKind::internal;
    try {
        wire::read(bytes, answer.error);
    } catch (const wire::Malformed&) {
        answer.error.text = "an error without a readable text";
    }
    return answer;
}

Answer Instance::create(const pb_plugin& plugin, const Labels& config) {
    const std::string encoded = wire::pack(config);
    detail::StringSink error;
    const int32_t status = plugin.create(&table_, detail::borrow(encoded), &plugin_, error.sink());
    if (status != 0) plugin_ = {};
    if (status == 0 &&
        (plugin_.struct_size < sizeof(pb_instance) || !plugin_.call || !plugin_.destroy))
        throw Failed{"create() made no usable instance"};
    return answer_of(status, error.text());
}

Answer Instance::call_bytes(uint32_t method, std::string_view in) {
    detail::StringSink answer;
    const int32_t status = plugin_.call(plugin_.self, method, detail::borrow(in), answer.sink());
    if (answer.too_large()) throw Failed{"an answer is over 4 MiB"};
    return answer_of(status, answer.text());
}

void Instance::destroy() {
    is_stopping_ = true;
    if (plugin_.destroy) plugin_.destroy(plugin_.self);
    plugin_ = {};
    is_destroyed_ = true;
}

int32_t Instance::host_call(void* self, uint32_t method, pb_bytes in, pb_sink out) {
    return detail::guarded(out, [&] {
        auto& instance = *static_cast<Instance*>(self);
        if (instance.is_destroyed_) ++instance.late_calls_;
        if (instance.is_stopping_)
            throw Error(ErrorKind::stopping, "the instance is being destroyed");
        detail::deliver(out, instance.host_(method, detail::view(in)));
    });
}

}  // namespace patchbay::checker
