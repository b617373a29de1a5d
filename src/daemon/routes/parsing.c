/* SPDX-License-Identifier: MIT */
#include "daemon/routes/parsing.h"

#include <assert.h>
#include <nettle/base16.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "api/unenforced.h"
#include "base/json.h"
#include "base/log.h"
#include "daemon/fleet_node.h"
#include "daemon/routes/answer.h"
#include "daemon/routes/route.h"
#include "http/server.h"

void inference_id(const struct routes *r, char text[INFERENCE_ID_SIZE]) {
    unsigned char bytes[INFERENCE_ID_SIZE / 2];
    ssize_t got = getrandom(bytes, sizeof bytes, 0); /* so few are given whole */
    assert(got == (ssize_t)sizeof bytes);
    base16_encode_update(text, sizeof bytes, bytes);
    text[BASE16_ENCODE_LENGTH(sizeof bytes)] = '\0';
    fleet_node_mark(r->fleet, text);
}

void inference_sign(const struct routes *r, struct exchange *x, const char *id) {
    exchange_add_header(x, "x-request-id", id);
    exchange_add_header(x, "request-id", id);
    if (fleet_node_is_on(r->fleet))
        exchange_add_header(x, FLEET_NODE_HEADER, fleet_node_name(r->fleet));
}

void inference_clear(struct inference *inference) {
    buf_clear(&inference->body);
    byte_hold_release(&inference->held);
    stored_response_clear(&inference->record);
}

const char *parsing_body(const struct parsing *p, size_t *ret_len) {
    const struct buf *own = &p->inference.body;
    *ret_len = own->len;
    return own->len > 0 ? buf_str(own) : exchange_body(p->x, ret_len);
}

/* Trees are freed here, too, because they are large. */
void parsing_work(void *ctx) {
    struct parsing *p = ctx;
    size_t len;
    const char *body = parsing_body(p, &len);
    const struct inference *i = &p->inference;
    struct buf names = BUF_INIT(1024);
    p->formed = i->dialect->parse(i->op, body, len, &p->parsed, &p->err);
    if (p->formed && !reply_options_fit(&p->parsed.options, &p->err)) {
        parsed_clear(&p->parsed);
        p->formed = false;
    }
    if (!p->formed) return;
    unenforced_format(yyjson_mut_doc_get_root(p->parsed.requests[0].body), &names);
    p->unenforced = buf_take(&names);
    if (p->secret && p->parsed.count == 1)
        prefix_marks_make(&p->marks, p->secret,
                          yyjson_mut_doc_get_root(p->parsed.requests[0].body));
    if (p->parsed.options.echo)
        p->echo = json_cost(yyjson_mut_doc_get_root(p->parsed.options.echo));
    for (int n = 0; n < p->parsed.count; n++) service_request_seal(&p->parsed.requests[n]);
}

void parsing_free(struct parsing *p) {
    if (p->formed) parsed_clear(&p->parsed);
    byte_hold_release(&p->held);
    free(p->unenforced);
    free(p->secret);
    prefix_marks_clear(&p->marks);
    inference_clear(&p->inference);
    claim_drop(p->claim);
    free(p);
}

void parsing_fail(struct parsing *p) {
    inference_sign(p->r, p->x, p->inference.id);
    exchange_fail(p->x, &p->err);
    parsing_free(p);
}

/* Some clients send such tools with every request: the same ones in a row are named once. */
static void tell_skipped_tools(const struct parsing *p) {
    const char *kinds = p->parsed.skipped_tools;
    if (!kinds || strcmp(kinds, p->r->told_tools) == 0) return;
    (void)snprintf(p->r->told_tools, SKIPPED_TOOLS_SIZE, "%s", kinds);
    log_warn("%s: a client sent tools that this server does not run (%s); the model is not "
             "offered them",
             p->inference.dialect->name, kinds);
}

void parsing_begin(struct parsing *p) {
    tell_skipped_tools(p);
    exchange_drop_body(p->x);
    inference_sign(p->r, p->x, p->inference.id);
    if (!answer_begin(p)) exchange_fail(p->x, &p->err);
    parsing_free(p);
}

bool parsing_hold(struct parsing *p) {
    size_t texts = 0, others = p->inference.record.input.len + p->echo;
    for (int i = 0; i < p->parsed.count; i++) texts += p->parsed.requests[i].sealed.len;
    for (int i = 0; i < p->parsed.count; i++) {
        if (!service_request_fits(&p->parsed.requests[i], &p->err)) return false;
    }
    buf_clear(&p->inference.body);
    byte_hold_release(&p->inference.held);
    if (!fleet_node_is_on(p->r->fleet)) exchange_drop_body(p->x);
    if (!byte_hold_take(p->r->budget, texts + others, exchange_body_held(p->x), &p->held,
                        &p->err))
        return false;
    for (int i = 0; i < p->parsed.count; i++) {
        struct service_request *request = &p->parsed.requests[i];
        request->held = byte_hold_split(&p->held, request->sealed.len);
    }
    return true;
}
