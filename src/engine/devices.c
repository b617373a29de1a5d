/* SPDX-License-Identifier: MIT */
#include "engine/devices.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "engine/backends.h"

static void add_device(yyjson_mut_doc *doc, yyjson_mut_val *list, ggml_backend_dev_t device) {
    size_t total = 0, free_bytes = 0;
    ggml_backend_dev_memory(device, &free_bytes, &total);
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
    yyjson_mut_obj_add_str(doc, item, "name", ggml_backend_dev_name(device));
    yyjson_mut_obj_add_str(doc, item, "description", ggml_backend_dev_description(device));
    yyjson_mut_obj_add_uint(doc, item, "total_bytes", total);
    yyjson_mut_obj_add_uint(doc, item, "free_bytes", free_bytes);
}

/* The library silently skips a backend whose driver is missing. */
static void add_problem(yyjson_mut_doc *doc, yyjson_mut_val *root) {
    static const char *const names[] = { "libggml-vulkan.so", "libggml-cuda.so" };
    char *folder = backends_folder();
    for (size_t i = 0; folder && i < sizeof names / sizeof names[0]; i++) {
        char *path = xasprintf("%s/%s", folder, names[i]);
        void *library = access(path, R_OK) == 0 ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
        const char *why = access(path, R_OK) == 0 && !library ? dlerror() : NULL;
        if (why) yyjson_mut_obj_add_strcpy(doc, root, "problem", why);
        free(path);
    }
    free(folder);
}

bool devices_print(void) {
    backends_load();
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "devices");
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        if (backends_is_gpu(ggml_backend_dev_get(i)))
            add_device(doc, list, ggml_backend_dev_get(i));
    }
    if (yyjson_mut_arr_size(list) == 0) add_problem(doc, root);
    char *text = yyjson_mut_write(doc, 0, NULL);
    bool ok = text && puts(text) >= 0 && fflush(stdout) == 0;
    free(text);
    yyjson_mut_doc_free(doc);
    if (ok) _exit(0); /* drivers may not end well */
    return false;
}
