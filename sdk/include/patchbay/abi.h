/* patchbay/abi.h: the only things that cross the library boundary. C11, no libc types. */
#ifndef PATCHBAY_ABI_H
#define PATCHBAY_ABI_H
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PB_ABI_MAJOR 1u /* this file changed incompatibly */
#define PB_ABI_MINOR 0u /* a struct below grew */
#define PB_STAMP_MAGIC "PBSTAMP1"
#define PB_FLAG_EXCLUSIVE 1u        /* never two generations at once */
#define PB_FLAG_OWNS_THREADS 2u     /* has threads of its own, joined in destroy */
#define PB_FLAG_DEVELOPMENT_ONLY 4u /* a hub in production refuses it */

/* Borrowed for the call. Not ended by a zero byte. */
typedef struct pb_bytes {
    const char* data;
    size_t size;
} pb_bytes;

/* Where an answer goes: the caller owns the memory. write() may be called several times. */
typedef struct pb_sink {
    void* self;
    void (*write)(void* self, const char* data, size_t size);
} pb_sink;

/* Same shape both ways. in and out are field-tagged messages. Returns 0, or an ErrorKind and an
   encoded error in out. Never throws, exits or jumps. An unknown method answers `unsupported`. */
typedef int32_t (*pb_call)(void* self, uint32_t method, pb_bytes in, pb_sink out);

/* What the host lends to one instance: valid until that instance's destroy has returned. */
typedef struct pb_host {
    uint32_t struct_size, abi_minor;
    void* self;
    pb_call call;
} pb_host;

typedef struct pb_instance {
    uint32_t struct_size, abi_minor;
    void* self;
    pb_call call;
    void (*destroy)(void* self); /* stops and frees; called once, no call in flight */
} pb_instance;

/* Constant data in ELF section .patchbay: read without dlopen. Texts end with a zero byte. */
typedef struct pb_stamp {
    char magic[8]; /* PB_STAMP_MAGIC without its zero byte */
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;
    uint32_t sdk_version; /* 0xMMmmpp */
    uint32_t flags;       /* PB_FLAG_* */
    char name[64], version[32], toolchain[96];
    char provides[256], needs[256]; /* lists: "channel/1 kv/1" */
} pb_stamp;

typedef struct pb_plugin {
    uint32_t struct_size;
    const pb_stamp* stamp;
    int32_t (*describe)(pb_sink out);                      /* configuration schema */
    int32_t (*check_config)(pb_bytes config, pb_sink err); /* pure: no side effects, no host */
    int32_t (*create)(const pb_host* host, pb_bytes config, pb_instance* out, pb_sink err);
} pb_plugin;

/* The single exported symbol. */
const pb_plugin* patchbay_plugin_v1(void);

#ifdef __cplusplus
}
#endif
#endif
