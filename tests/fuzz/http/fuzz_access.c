/* SPDX-License-Identifier: MIT */
/* Host and Origin, parted by a line feed. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "http/access.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct access_names names = { .machine = "box.lan", .bound = "models.home" };
    if (size > 4096) return 0;
    char *host = xstrndup((const char *)data, size);
    char *origin = strchr(host, '\n');
    if (origin) *origin++ = '\0';
    struct error err;
    bool own = access_host_is_own(host, &names);
    /* The names of the internet have a top-level domain of letters; none of them is ours. */
    size_t len = strlen(host);
    if (len > 8 && strcasecmp(host + len - 8, ".example") == 0) assert(!own);
    bool same = origin && access_origin_is_same(origin, host);
    assert(access_check(host, origin, &names, &err) == (own && (!origin || same)));
    free(host);
    return 0;
}
