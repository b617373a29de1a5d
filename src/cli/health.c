/* SPDX-License-Identifier: MIT */
#include "cli/health.h"

#include <stdio.h>

#include "base/json.h"

static bool health_read(yyjson_val *root, struct health *ret) {
    struct error ignored;
    int64_t pid = 0;
    const char *version = NULL, *warning = "";
    bool ok = json_read_int(root, "pid", 2, INT32_MAX, &pid, &ignored) &&
              json_read_str(root, "version", &version, &ignored) &&
              json_read_str(root, "warning", &warning, &ignored) && version && pid > 0;
    if (!ok) return false;
    *ret = (struct health){ .pid = pid };
    snprintf(ret->version, sizeof ret->version, "%s", version);
    snprintf(ret->warning, sizeof ret->warning, "%s", warning);
    return true;
}

enum outcome health_fetch(const struct cli *cli, struct health *ret, struct error *err) {
    char base[300];
    yyjson_doc *doc = NULL;
    struct call call = { .method = "GET", .path = "/health", .max_seconds = 3 };
    enum outcome outcome = client_call(cli, &call, &doc, err);
    bool foreign = outcome == OUTCOME_REFUSED || outcome == OUTCOME_BROKEN ||
                   (outcome == OUTCOME_DONE && !health_read(yyjson_doc_get_root(doc), ret));
    yyjson_doc_free(doc);
    if (!foreign) return outcome;
    client_base(cli, base);
    error_set(err, ERR_NOT_FOUND,
              "The server at %s is not doze; choose another port with --port.", base);
    return OUTCOME_REFUSED;
}
