/* SPDX-License-Identifier: MIT */
#include "engine/backends.h"

#include <dlfcn.h>
#include <ggml-backend.h>
#include <ggml-cpu.h>
#include <llama.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* How long a thread spins before it sleeps, in the library's units: some milliseconds. That is
 * longer than what is between two tokens. The default, 50, is a tenth of a second, in which
 * the thread would pass for another program's load (cpu_threads.c). */
enum { POLL = 1 };

void backends_load(void) {
    Dl_info info;
    if (dladdr((void *)(uintptr_t)llama_backend_init, &info) != 0 && info.dli_fname) {
        char *folder = strdup(info.dli_fname);
        char *slash = folder ? strrchr(folder, '/') : NULL;
        if (slash) *slash = '\0';
        if (slash) ggml_backend_load_all_from_path(folder);
        free(folder);
    }
    llama_backend_init();
}

typedef struct ggml_threadpool *(*new_threads_fn)(struct ggml_threadpool_params *params);

struct ggml_threadpool *backends_new_threads(int count) {
    ggml_backend_dev_t cpu = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    ggml_backend_reg_t library = cpu ? ggml_backend_dev_backend_reg(cpu) : NULL;
    void *found = library ? ggml_backend_reg_get_proc_address(library, "ggml_threadpool_new")
                          : NULL;
    if (!found) return NULL;
    new_threads_fn new_threads = (new_threads_fn)(uintptr_t)found;
    struct ggml_threadpool_params params = ggml_threadpool_params_default(count);
    params.poll = POLL;
    params.paused = true;
    /* cppcheck-suppress returnDanglingLifetime ; the pool copies them */
    return new_threads(&params);
}
