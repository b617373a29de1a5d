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

void output_init(struct output *output, struct link *link, uint64_t request, struct chat *chat,
                 const struct stops *stops) {
    *output = (struct output){ .link = link, .request = request, .chat = chat };
    buf_init(&output->raw, MAX_HELD);
    buf_init(&output->held, MAX_HELD);
    size_t extra = 0;
    while (chat && chat_stop(chat, extra)) extra++;
    struct stops *all = &output->stops;
    all->words = xcalloc(stops->count + extra + 1, sizeof *all->words);
    for (size_t i = 0; i < stops->count; i++) all->words[all->count++] = stops->words[i];
    for (size_t i = 0; i < extra; i++) {
        const char *word = chat_stop(chat, i);
        if (*word) all->words[all->count++] = word;
    }
}

void output_clear(struct output *output) {
    free((void *)(uintptr_t)output->stops.words);
    buf_clear(&output->raw);
    buf_clear(&output->held);
    logprobs_clear(&output->logprobs);
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

static void delta_write(struct delta *d, struct output *output) {
    struct buf json = BUF_INIT(FRAME_MAX_TO_DAEMON);
    if (json_write(d->doc, &json)) {
        link_send(output->link, MSG_DELTA, output->request, json.data, json.len);
    }
    buf_clear(&json);
}

/* released: bytes of the answer that are out with this delta; their logprobs go along. */
static void delta_send(struct delta *d, struct output *output, size_t released) {
    bool content = d->content.len > 0, reasoning = d->reasoning.len > 0;
    bool calls = yyjson_mut_arr_size(d->calls) > 0;
    if (reasoning) output->reasoning_tokens = output->tokens;
    if (content)
        yyjson_mut_obj_add_strn(d->doc, d->root, "content", d->content.data, d->content.len);
    if (reasoning) {
        yyjson_mut_obj_add_strn(d->doc, d->root, "reasoning", d->reasoning.data,
                                d->reasoning.len);
    }
    if (calls) yyjson_mut_obj_add_val(d->doc, d->root, "tool_calls", d->calls);
    yyjson_mut_val *logprobs = logprobs_take(&output->logprobs, released, d->doc);
    if (logprobs) yyjson_mut_obj_add_val(d->doc, d->root, "logprobs", logprobs);
    if (content || reasoning || calls || logprobs) delta_write(d, output);
    yyjson_mut_doc_free(d->doc);
    buf_clear(&d->content);
    buf_clear(&d->reasoning);
}

/* ---- text ---- */

static void say(struct output *output, struct delta *d, const char *text, size_t len) {
    if (len == 0) return;
    if (output->chat) {
        chat_feed(output->chat, text, len, delta_add, d);
    } else {
        (void)buf_add(&d->content, text, len);
    }
}

void output_echo(struct output *output, const char *text, size_t len) {
    struct delta d;
    struct buf whole = BUF_INIT(3 * len);
    delta_init(&d);
    (void)utf8_repair(&whole, text, len);
    (void)buf_add(&d.content, buf_str(&whole), whole.len);
    delta_send(&d, output, 0);
    buf_clear(&whole);
}

bool output_push(struct output *output, const char *piece, size_t len) {
    struct delta d;
    delta_init(&d);
    output->bytes += len;
    output->tokens++;
    (void)buf_add(&output->raw, piece, len);
    size_t whole = utf8_whole(buf_str(&output->raw), output->raw.len);
    (void)utf8_repair(&output->held, buf_str(&output->raw), whole);
    buf_drop(&output->raw, whole);
    struct stops_found found = stops_scan(&output->stops, buf_str(&output->held),
                                          output->held.len);
    say(output, &d, buf_str(&output->held), found.safe);
    size_t waiting = output->raw.len + output->held.len - found.safe;
    buf_drop(&output->held, found.safe);
    delta_send(&d, output, output->bytes > waiting ? output->bytes - waiting : 0);
    if (found.word < 0) return !output->chat || !chat_is_over(output->chat);
    output->stop_string = output->stops.words[found.word];
    buf_reset(&output->held);
    buf_reset(&output->raw);
    return false;
}

/* Half a character at the end cannot become whole and is left out. */
void output_end(struct output *output, bool complete) {
    struct delta d;
    delta_init(&d);
    say(output, &d, buf_str(&output->held), output->held.len);
    if (output->chat) chat_finish(output->chat, complete, delta_add, &d);
    delta_send(&d, output, output->stop_string ? 0 : output->bytes);
    buf_reset(&output->held);
}
