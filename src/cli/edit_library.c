/* SPDX-License-Identifier: MIT */
#include "cli/edit_library.h"

#include <dlfcn.h>

#include "base/dynamic_library.h"

#define EDIT_TAKE(name) ok = dynamic_library_take(handle, #name, &library.name) && ok;

const struct edit_library *edit_library_get(struct error *err) {
    static struct edit_library library;
    static bool loaded;
    if (loaded) return &library;
    void *handle = dlopen("libedit.so.2", RTLD_NOW);
    if (!handle) handle = dlopen("libedit.so.0", RTLD_NOW); /* Fedora, Arch */
    bool ok = handle != NULL;
    if (ok) {
        EDIT_FUNCTIONS(EDIT_TAKE)
    }
    if (!ok) {
        error_set(
            err, ERR_IO,
            "libedit cannot be loaded; install it (Debian: libedit2), or ask one question "
            "with -p.");
        return NULL;
    }
    loaded = true;
    return &library;
}
