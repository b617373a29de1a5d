/* SPDX-License-Identifier: MIT */
#include "daemon/relay_message.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/percent.h"
#include "daemon/fleet_node.h"
#include "http/server.h"

enum { URL_MAX = 1 << 14 };

static size_t add_client_fields(const struct exchange *x, struct forward_field *fields) {
    static const char *const names[] = { "Content-Type", "Accept", "User-Agent",
                                         "anthropic-version", "anthropic-beta" };
    size_t count = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = exchange_header(x, names[i]);
        if (value) fields[count++] = (struct forward_field){ names[i], value };
    }
    return count;
}

/* The query fields that a forwarded request may have. */
static void add_query(const struct exchange *x, struct buf *url) {
    static const char *const names[] = { "limit", "order", "after", "stream" };
    char separator = '?';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = exchange_query(x, names[i]);
        if (!value) continue;
        (void)buf_addf(url, "%c%s=", separator, names[i]);
        (void)percent_encode(url, value, PERCENT_UNRESERVED);
        separator = '&';
    }
}

/* One that is too long is cut; there is nothing at that path. */
static char *url_of(const struct exchange *x, const char *base) {
    struct buf url = BUF_INIT(URL_MAX);
    size_t len = strlen(base);
    while (len > 0 && base[len - 1] == '/') len--;
    (void)buf_add(&url, base, len);
    (void)percent_encode(&url, exchange_path(x), PERCENT_UNRESERVED "/");
    add_query(x, &url);
    return buf_take(&url);
}

/* The fields that name the node that asks and its client. Returns how many. */
static size_t add_fleet_fields(const struct relay_message *m, const char *owner,
                               struct forward_field *fields) {
    size_t count = 0;
    fields[count++] = (struct forward_field){ FLEET_HOP_HEADER, "1" };
    fields[count++] = (struct forward_field){ FLEET_CLIENT_HEADER, m->client };
    if (m->pass) fields[count++] = (struct forward_field){ FLEET_PASS_HEADER, m->pass };
    if (owner) fields[count++] = (struct forward_field){ FLEET_OWNER_HEADER, owner };
    return count;
}

void relay_message_make(struct relay_message *ret, const struct fleet_node *node,
                        const struct relay_request *q, const char *owner,
                        const struct relay_next *next) {
    const char *method = exchange_method(q->x);
    *ret = (struct relay_message){ .url = url_of(q->x, next->url) };
    ret->pass = fleet_node_make_pass(node, next->node, method, exchange_path(q->x));
    (void)snprintf(ret->client, sizeof ret->client, "%016" PRIx64, q->client);
    size_t count = add_client_fields(q->x, ret->fields);
    count += add_fleet_fields(ret, owner, ret->fields + count);
    ret->request = (struct forward_request){
        .method = method, .url = ret->url, .fields = ret->fields, .field_count = count
    };
    ret->request.body = exchange_body(q->x, &ret->request.body_len);
}

void relay_message_clear(struct relay_message *message) {
    free(message->url);
    free(message->pass);
}
