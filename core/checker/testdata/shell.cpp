// What a planted plugin is loaded by: its stamp and its entry, and the faults that stand in a file.
// Only abi.h, since there are some forty of them.
#include <patchbay/abi.h>
#include <pthread.h>
#include <unistd.h>

extern "C" {
extern const char planted_defect[];
const char planted_defect[] = PLANTED;

int32_t planted_describe(pb_sink out);
int32_t planted_check_config(pb_bytes config, pb_sink err);
int32_t planted_create(const pb_host*, pb_bytes config, pb_instance* out, pb_sink err);
void planted_in_a_call();
}

namespace {

constexpr const char version[] =
#ifdef PLANTED_K03
    "one";
#else
    "1.0.0";
#endif

constexpr uint16_t major =
#ifdef PLANTED_K01
    PB_ABI_MAJOR + 1;
#else
    PB_ABI_MAJOR;
#endif

constexpr pb_stamp make_stamp() {
    pb_stamp stamp{{'P', 'B', 'S', 'T', 'A', 'M', 'P', '1'},
                   sizeof(pb_stamp),
                   major,
                   PB_ABI_MINOR,
                   0x000100u,
                   0,
                   "planted",
                   "",
                   "by hand",
                   "channel/1 webhook/1 health/1 handover/1",
                   "http-client/1 timers/1"};
    for (size_t i = 0; i < sizeof version; ++i) stamp.version[i] = version[i];
    return stamp;
}

[[gnu::section(".patchbay"), gnu::used]] constexpr pb_stamp stamp = make_stamp();

constexpr pb_plugin plugin = {sizeof(pb_plugin), &stamp, planted_describe, planted_check_config,
                              planted_create};

#if defined(PLANTED_K10)
struct Pin {
    ~Pin() { value = 0; }
    volatile int value = 1;
};
thread_local Pin pin;
#elif defined(PLANTED_D13)
pthread_key_t key;
void forget(void* value) { *static_cast<volatile int*>(value) = 0; }
int kept = 1;
#elif defined(PLANTED_K11)
[[gnu::used]] pid_t (*const taken)() = &fork;
#elif defined(PLANTED_K11_exit)
[[gnu::used]] void (*const taken)(int) = &_exit;
#elif defined(PLANTED_K12)
[[gnu::used]] auto* const taken = &pthread_create;
#endif

}  // namespace

#if defined(PLANTED_K04)
extern "C" [[gnu::visibility("default")]] void planted_extra() {}
#elif defined(PLANTED_K05)
asm(".data\n.globl planted_unique\n.type planted_unique, %gnu_unique_object\n"
    ".size planted_unique, 8\nplanted_unique: .quad 0\n.text\n");
#elif defined(PLANTED_K07)
asm(".text\n.balign 8\nplanted_place: .quad planted_place\n");
#endif

extern "C" void planted_in_a_call() {
#if defined(PLANTED_K10)
    pin.value = 2;
#elif defined(PLANTED_D13)
    if (kept++ == 1) pthread_key_create(&key, forget);
    pthread_setspecific(key, &kept);
#endif
}

extern "C" [[gnu::visibility("default")]] const pb_plugin* patchbay_plugin_v1(void) {
    return &plugin;
}
