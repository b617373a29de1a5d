/* SPDX-License-Identifier: MIT */
#include "daemon/relay_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "http/response.h"
#include "http/server.h"

enum { FIELDS_MAX = 256 * 1024 };

/* Another node may have a better answer than these. */
static bool is_refusal(int status) {
    static const int statuses[] = { 401, 404, 429, 500, 503, 507 };
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        if (statuses[i] == status) return true;
    }
    return false;
}

bool relay_answer_is_status(const struct relay_answer *answer) {
    int status = answer->status;
    return status >= 200 && status <= 599 && status != 204 && status != 304;
}

/* This node adds it to a stream of events, too. */
static bool is_added(const struct relay_answer *answer, const char *name) {
    return response_is_events(answer->content_type) &&
           (strcasecmp(name, "Cache-Control") == 0 ||
            strcasecmp(name, "X-Accel-Buffering") == 0);
}

void relay_answer_begin(struct relay_answer *answer, const struct forward_head *head) {
    relay_answer_clear(answer);
    answer->status = head->status;
    answer->refusal = is_refusal(head->status) || !relay_answer_is_status(answer);
    answer->content_type = head->content_type ? xstrdup(head->content_type) : NULL;
    buf_init(&answer->fields, FIELDS_MAX);
    buf_init(&answer->body, RELAY_WHOLE_MAX);
    for (size_t i = 0; i < head->field_count; i++) {
        const struct forward_field *field = &head->fields[i];
        if (is_added(answer, field->name)) continue;
        (void)buf_add(&answer->fields, field->name, strlen(field->name) + 1);
        (void)buf_add(&answer->fields, field->value, strlen(field->value) + 1);
    }
}

void relay_answer_clear(struct relay_answer *answer) {
    buf_clear(&answer->fields);
    buf_clear(&answer->body);
    free(answer->content_type);
    *answer = (struct relay_answer){ 0 };
}

/* The field at `at`, which it moves to the next one. False: there is none. */
static bool next_field(const struct relay_answer *answer, const char **at,
                       struct forward_field *ret) {
    const char *begin = buf_str(&answer->fields), *end = begin + answer->fields.len;
    const char *name = *at ? *at : begin;
    if (name >= end) return false;
    *ret = (struct forward_field){ name, name + strlen(name) + 1 };
    *at = ret->value + strlen(ret->value) + 1;
    return true;
}

const char *relay_answer_field(const struct relay_answer *answer, const char *name) {
    struct forward_field field;
    const char *at = NULL;
    while (next_field(answer, &at, &field)) {
        if (strcasecmp(field.name, name) == 0) return field.value;
    }
    return NULL;
}

/* Nodes are not trusted: what cannot be a header is left out. */
void relay_answer_add_fields(const struct relay_answer *answer, struct exchange *x) {
    struct forward_field field;
    const char *at = NULL;
    size_t left_out = 0;
    while (next_field(answer, &at, &field))
        left_out += !exchange_offer_header(x, field.name, field.value);
    if (left_out > 0)
        log_debug("fleet: %zu header fields of a node's answer are too long or malformed, and "
                  "are left out",
                  left_out);
}

void relay_answer_reply(const struct relay_answer *answer, struct exchange *x) {
    relay_answer_add_fields(answer, x);
    exchange_reply(x, answer->status, answer->content_type, buf_str(&answer->body),
                   answer->body.len);
}
