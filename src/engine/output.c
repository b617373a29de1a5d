/* SPDX-License-Identifier: MIT */
#include "engine/output.h"

#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/json.h"
#include "base/utf8.h"
#include "base/xalloc.h"

/* A piece of one token is far smaller; what is held is bounded by the longest stop string. */
enum { MAX_HELD = 16 << 20 };

void answer_init(struct answer *answer, struct link *link, uint64_t request, struct chat *chat,
                 const struct stops *stops) {
    *answer = (struct answer){ .link = link, .request = request, .chat = chat };
    buf_init(&answer->raw, MAX_HELD);
    buf_init(&answer->held, MAX_HELD);
    size_t extra = 0;
    while (chat && chat_stop(chat, extra)) extra++;
    struct stops *all = &answer->stops;
    all->words = xcalloc(stops->count + extra + 1, sizeof *all->words);
    for (size_t i = 0; i < stops->count; i++) all->words[all->count++] = stops->words[i];
    for (size_t i = 0; i < extra; i++) {
        const char *word = chat_stop(chat, i);
        if (*word) all->words[all->count++] = word;
    }
}

void answer_clear(struct answer *answer) {
    free((void *)(uintptr_t)answer->stops.words);
    buf_clear(&answer->raw);
    buf_clear(&answer->held);
    logprobs_clear(&answer->logprobs);
}

/* ---- one delta ---- */

struct delta {
    yyjson_mut_doc *doc;
    yyjson_mut_val *root, *calls;
    struct buf content, reasoning;
};

static void delta_init(struct delta *d) {
    d->doc = yyjson_mut_doc_new(NULL);
    d->root = yyjson_mut_obj(d->doc);
    d->calls = yyjson_mut_arr(d->doc);
    yyjson_mut_doc_set_root(d->doc, d->root);
    buf_init(&d->content, MAX_HELD);
    buf_init(&d->reasoning, MAX_HELD);
}

static void delta_add(void *ctx, const struct chat_piece *piece) {
    struct delta *d = ctx;
    (void)buf_add_str(&d->content, piece->content);
    (void)buf_add_str(&d->reasoning, piece->reasoning);
    if (piece->call < 0) return;
    yyjson_mut_val *call = yyjson_mut_arr_add_obj(d->doc, d->calls);
    yyjson_mut_obj_add_int(d->doc, call, "index", piece->call);
    if (*piece->call_name) {
        yyjson_mut_obj_add_strcpy(d->doc, call, "id", piece->call_id);
        yyjson_mut_obj_add_strcpy(d->doc, call, "name", piece->call_name);
    }
    yyjson_mut_obj_add_strcpy(d->doc, call, "arguments", piece->call_arguments);
}

static void delta_write(struct delta *d, struct answer *answer) {
    struct buf json = BUF_INIT(FRAME_MAX_TO_DAEMON);
    if (json_write(d->doc, &json)) {
        link_send(answer->link, MSG_DELTA, answer->request, json.data, json.len);
    }
    buf_clear(&json);
}

/* released: bytes of the answer that are out with this delta; their logprobs go along. */
static void delta_send(struct delta *d, struct answer *answer, size_t released) {
    bool content = d->content.len > 0, reasoning = d->reasoning.len > 0;
    bool calls = yyjson_mut_arr_size(d->calls) > 0;
    if (reasoning) answer->reasoning_tokens = answer->tokens;
    if (content)
        yyjson_mut_obj_add_strn(d->doc, d->root, "content", d->content.data, d->content.len);
    if (reasoning) {
        yyjson_mut_obj_add_strn(d->doc, d->root, "reasoning", d->reasoning.data,
                                d->reasoning.len);
    }
    if (calls) yyjson_mut_obj_add_val(d->doc, d->root, "tool_calls", d->calls);
    yyjson_mut_val *logprobs = logprobs_take(&answer->logprobs, released, d->doc);
    if (logprobs) yyjson_mut_obj_add_val(d->doc, d->root, "logprobs", logprobs);
    if (content || reasoning || calls || logprobs) delta_write(d, answer);
    yyjson_mut_doc_free(d->doc);
    buf_clear(&d->content);
    buf_clear(&d->reasoning);
}

/* ---- text ---- */

static void say(struct answer *answer, struct delta *d, const char *text, size_t len) {
    if (len == 0) return;
    if (answer->chat) {
        chat_feed(answer->chat, text, len, delta_add, d);
    } else {
        (void)buf_add(&d->content, text, len);
    }
}

void answer_echo(struct answer *answer, const char *text, size_t len) {
    struct delta d;
    struct buf whole = BUF_INIT(3 * len);
    delta_init(&d);
    (void)utf8_repair(&whole, text, len);
    (void)buf_add(&d.content, buf_str(&whole), whole.len);
    delta_send(&d, answer, 0);
    buf_clear(&whole);
}

bool answer_push(struct answer *answer, const char *piece, size_t len) {
    struct delta d;
    delta_init(&d);
    answer->bytes += len;
    answer->tokens++;
    (void)buf_add(&answer->raw, piece, len);
    size_t whole = utf8_whole(buf_str(&answer->raw), answer->raw.len);
    (void)utf8_repair(&answer->held, buf_str(&answer->raw), whole);
    buf_drop(&answer->raw, whole);
    struct stops_found found = stops_scan(&answer->stops, buf_str(&answer->held),
                                          answer->held.len);
    say(answer, &d, buf_str(&answer->held), found.safe);
    size_t waiting = answer->raw.len + answer->held.len - found.safe;
    buf_drop(&answer->held, found.safe);
    delta_send(&d, answer, answer->bytes > waiting ? answer->bytes - waiting : 0);
    if (found.word < 0) return true;
    answer->stop_string = answer->stops.words[found.word];
    buf_reset(&answer->held);
    buf_reset(&answer->raw);
    return false;
}

/* Half a character at the end cannot become whole any more and is left out. */
void answer_end(struct answer *answer, bool complete) {
    struct delta d;
    delta_init(&d);
    say(answer, &d, buf_str(&answer->held), answer->held.len);
    if (answer->chat) chat_finish(answer->chat, complete, delta_add, &d);
    delta_send(&d, answer, answer->stop_string ? 0 : answer->bytes);
    buf_reset(&answer->held);
}
