/* SPDX-License-Identifier: MIT */
/* Host and Origin, parted by a line feed. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/ascii.h"
#include "base/xalloc.h"
#include "http/access.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct access_names names = { .machine = "box.lan", .bound = "models.home" };

/* Without lists and a key only our own come in. With lists no site under another name does, and
 * a key helps an app or a name and no site. */
static void check(const char *host, const char *origin, bool own, bool same) {
    static const struct access_rules none = { false, "", "" };
    static const struct access_rules some = { false, "*.lan.test",
                                              "http:/"
                                              "/"
                                              "*.lan.test" };
    struct access_request request = { host, origin, false };
    bool foreign;
    struct error err;
    bool in = access_check(&request, &names, &none, &foreign, &err);
    assert(in == (own && (!origin || same)));
    bool listed = access_check(&request, &names, &some, &foreign, &err);
    assert(listed || !in);
    bool friend = origin && ascii_ends_with(origin, strlen(origin), ".lan.test");
    if (listed && foreign) assert(friend);
    request.has_key = true;
    bool with_key = access_check(&request, &names, &none, &foreign, &err);
    assert(with_key == (!origin || same || access_origin_is_local(origin)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 4096) return 0;
    char *host = xstrndup((const char *)data, size);
    char *origin = strchr(host, '\n');
    if (origin) *origin++ = '\0';
    bool own = access_host_is_own(host, &names);
    /* The names of the internet have a top-level domain of letters; none of them is ours. */
    size_t len = strlen(host);
    if (len > 8 && strcasecmp(host + len - 8, ".example") == 0) assert(!own);
    bool same = origin && access_origin_is_same(origin, host);
    check(host, origin, own, same);
    free(host);
    return 0;
}
