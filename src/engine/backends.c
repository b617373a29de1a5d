/* SPDX-License-Identifier: MIT */
#include "engine/backends.h"

#include <dlfcn.h>
#include <ggml-cpu.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* How long a thread spins before it sleeps, in the library's units: some milliseconds, which
 * is longer than the time between two tokens. The default, 50, is a tenth of a second, during
 * which the thread would look like another program's load (cpu_threads.c). */
enum { POLL = 1 };

char *backends_folder(void) {
    Dl_info info;
    if (!dladdr((void *)(uintptr_t)llama_backend_init, &info) || !info.dli_fname) return NULL;
    char *folder = strdup(info.dli_fname);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) *slash = '\0';
    return folder;
}

void backends_load(void) {
    char *folder = backends_folder();
    if (folder) ggml_backend_load_all_from_path(folder);
    free(folder);
    llama_backend_init();
}

bool backends_is_gpu(ggml_backend_dev_t device) {
    enum ggml_backend_dev_type type = ggml_backend_dev_type(device);
    return type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU;
}

bool backends_have_gpu(void) {
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        if (backends_is_gpu(ggml_backend_dev_get(i))) return true;
    }
    return false;
}

const char *backends_device(const struct llama_model_params *params) {
    int wanted = params->split_mode == LLAMA_SPLIT_MODE_NONE ? params->main_gpu : 0;
    if (params->n_gpu_layers == 0) return "cpu";
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t device = ggml_backend_dev_get(i);
        if (backends_is_gpu(device) && wanted-- == 0)
            return ggml_backend_dev_description(device);
    }
    return "cpu";
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
