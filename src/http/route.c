/* SPDX-License-Identifier: MIT */
#include "http/route.h"

#include <stdint.h>
#include <string.h>

/* Some clients put a slash behind the path. */
static bool is_path(const char *pattern, const char *path) {
    size_t len = strlen(pattern);
    if (strncmp(pattern, path, len) != 0) return false;
    return path[len] == '\0' || (len > 1 && strcmp(path + len, "/") == 0);
}

/* How well the pattern fits: 0 not at all, SIZE_MAX exactly, else the length before "{name}".
 */
static size_t fit(const char *pattern, const char *path) {
    const char *brace = strchr(pattern, '{');
    if (!brace) return is_path(pattern, path) ? SIZE_MAX : 0;
    size_t len = (size_t)(brace - pattern);
    return strncmp(pattern, path, len) == 0 && path[len] ? len : 0;
}

struct route_match route_find(const struct http_route *routes, size_t count, const char *method,
                              const char *path) {
    if (strcmp(method, "HEAD") == 0) method = "GET";
    struct route_match match = { .route = NULL };
    size_t best = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = fit(routes[i].path, path);
        if (len <= best || strcmp(routes[i].method, method) != 0) continue;
        best = len;
        match.route = &routes[i];
        match.param = len == SIZE_MAX ? NULL : path + len;
    }
    return match;
}

bool route_allowed(const struct http_route *routes, size_t count, const char *path,
                   struct buf *out) {
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };
    bool any = false;
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
        if (!route_find(routes, count, methods[m], path).route) continue;
        (void)buf_addf(out, "%s%s", methods[m], m == 0 ? ", HEAD, " : ", ");
        any = true;
    }
    if (any) (void)buf_add_str(out, "OPTIONS");
    return any;
}
