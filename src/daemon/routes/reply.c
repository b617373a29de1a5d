/* SPDX-License-Identifier: MIT */
#include "daemon/routes/reply.h"

#include <string.h>

#include "base/json.h"

void reply_json(struct exchange *x, struct buf *json) {
    if (json->overflowed) {
        struct error err;
        error_set(&err, ERR_INTERNAL, "The answer would be larger than %zu bytes.", json->max);
        exchange_fail(x, &err);
    } else {
        exchange_reply_taking(x, 200, "application/json", json);
    }
    buf_clear(json);
}

void reply_doc(struct exchange *x, yyjson_mut_doc *doc) {
    struct buf json = BUF_INIT(REPLY_JSON_MAX);
    json_write_end(doc, &json);
    reply_json(x, &json);
}

void reply_event(struct exchange *x, const char *id, const char *event, const char *json) {
    struct buf text = BUF_INIT(strlen(json) + 256);
    if (id) buf_addf(&text, "id: %s\n", id);
    if (*event) buf_addf(&text, "event: %s\n", event);
    buf_addf(&text, "data: %s\n\n", json);
    exchange_write(x, text.data, text.len);
    buf_clear(&text);
}
