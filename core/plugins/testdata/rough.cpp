// Written against abi.h alone: breaks the rule that nothing is thrown over the boundary.
#include <patchbay/abi.h>

#include <cstring>
#include <stdexcept>

namespace {

constexpr uint32_t look_up = 103;  // Answers two GiB.

struct NoStandardType {};

[[gnu::section(".patchbay"), gnu::used]] const pb_stamp stamp = {
    {'P', 'B', 'S', 'T', 'A', 'M', 'P', '1'},
    sizeof(pb_stamp),
    PB_ABI_MAJOR,
    PB_ABI_MINOR,
    0x000100u,
    0,
    "rough",
    "0.0.1",
    "by hand",
    "",
    ""};

int32_t describe(pb_sink) { return 0; }
int32_t check_config(pb_bytes, pb_sink) { return 0; }
int32_t call(void*, uint32_t method, pb_bytes, pb_sink out) {
    if (method != look_up) throw NoStandardType();
    static const char piece[1u << 20] = {};
    for (int i = 0; i < 2048; ++i) out.write(out.self, piece, sizeof piece);
    return 0;
}
void destroy(void*) { throw std::runtime_error("destroy went wrong"); }
int32_t create(const pb_host*, pb_bytes, pb_instance* out, pb_sink) {
    *out = {sizeof(pb_instance), PB_ABI_MINOR, nullptr, call, destroy};
    return 0;
}

const pb_plugin plugin = {sizeof(pb_plugin), &stamp, describe, check_config, create};

}  // namespace

extern "C" [[gnu::visibility("default")]] const pb_plugin* patchbay_plugin_v1(void) {
    return &plugin;
}
