/* SPDX-License-Identifier: MIT */
#include "engine/backends.h"

#include <dlfcn.h>
#include <ggml-backend.h>
#include <llama.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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
