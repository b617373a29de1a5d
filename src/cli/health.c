/* SPDX-License-Identifier: MIT */
#include "cli/health.h"

#include <stdio.h>

#include "base/json.h"

static bool health_parse(const struct buf *body, struct health *ret) {
    struct error ignored;
    struct health health = { 0 };
    const char *version = NULL;
    yyjson_doc *doc = json_parse_object(buf_str(body), body->len, &ignored);
    yyjson_val *root = yyjson_doc_get_root(doc);
    bool ok = doc && json_read_int(root, "pid", 2, INT32_MAX, &health.pid, &ignored) &&
              json_read_str(root, "version", &version, &ignored) && version && health.pid > 0;
    if (ok) {
        snprintf(health.version, sizeof health.version, "%s", version);
        *ret = health;
    }
    yyjson_doc_free(doc);
    return ok;
}

enum outcome health_fetch(const struct cli *cli, struct health *ret, struct error *err) {
    struct buf body = BUF_INIT(1 << 20);
    char base[300];
    struct call call = {
        .method = "GET", .path = "/health", .cancel_fd = -1, .max_seconds = 3
    };
    enum outcome outcome = client_call(cli, &call, &body, err);
    bool foreign = outcome == OUTCOME_REFUSED || outcome == OUTCOME_BROKEN ||
                   (outcome == OUTCOME_DONE && !health_parse(&body, ret));
    buf_clear(&body);
    if (!foreign) return outcome;
    client_base(cli, base);
    error_set(err, ERR_NOT_FOUND,
              "Something that is not doze answers at %s; choose another --port.", base);
    return OUTCOME_REFUSED;
}
