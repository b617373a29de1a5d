/* SPDX-License-Identifier: MIT */
#include "base/dynamic_library.h"

#include <dlfcn.h>
#include <string.h>

/* POSIX lets dlsym return a function as void *; ISO C does not let it be cast to one. */
bool dynamic_library_take(void *handle, const char *name, void *place) {
    void *address = dlsym(handle, name);
    memcpy(place, &address, sizeof address);
    return address != NULL;
}
