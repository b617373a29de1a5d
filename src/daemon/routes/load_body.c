/* SPDX-License-Identifier: MIT */
#include "daemon/routes/load_body.h"

#include "api/lmstudio_rest/v1.h"

bool load_body_read(struct exchange *x, struct load_body *ret_body) {
    struct error err;
    size_t len = 0;
    const char *text = exchange_body(x, &len);
    if (lmstudio_v1_parse_load(text, len, &ret_body->request, &ret_body->echo, &ret_body->doc,
                               &err)) {
        return true;
    }
    exchange_fail(x, &err);
    return false;
}
