/* SPDX-License-Identifier: MIT */
#include "http/tls_library.h"

#include <dlfcn.h>

#include "base/dynamic_library.h"

#define TLS_TAKE(name) ok = dynamic_library_take(handle, #name, &library.name) && ok;

const struct tls_library *tls_library_get(struct error *err) {
    static struct tls_library library;
    static bool loaded;
    if (loaded) return &library;
    void *handle = dlopen("libssl.so.3", RTLD_NOW);
    bool ok = handle != NULL;
    if (ok) {
        TLS_FUNCTIONS(TLS_TAKE)
    }
    if (!ok) {
        error_set(err, ERR_IO, "OpenSSL 3 cannot be loaded (Debian: libssl3)");
        return NULL;
    }
    loaded = true;
    return &library;
}
