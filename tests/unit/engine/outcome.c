/* SPDX-License-Identifier: MIT */
#include "outcome.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "ipc/message.h"

enum { MAX_TEXT = 1 << 20 };

void outcome_init(struct outcome *outcome) {
    *outcome = (struct outcome){ 0 };
    buf_init(&outcome->content, MAX_TEXT);
    buf_init(&outcome->reasoning, MAX_TEXT);
    buf_init(&outcome->logprobs, MAX_TEXT);
    for (int i = 0; i < OUTCOME_MAX_CALLS; i++) {
        buf_init(&outcome->calls[i].id, MAX_TEXT);
        buf_init(&outcome->calls[i].name, MAX_TEXT);
        buf_init(&outcome->calls[i].arguments, MAX_TEXT);
    }
}

void outcome_clear(struct outcome *outcome) {
    buf_clear(&outcome->content);
    buf_clear(&outcome->reasoning);
    buf_clear(&outcome->logprobs);
    for (int i = 0; i < OUTCOME_MAX_CALLS; i++) {
        buf_clear(&outcome->calls[i].id);
        buf_clear(&outcome->calls[i].name);
        buf_clear(&outcome->calls[i].arguments);
    }
    for (int i = 0; i < outcome->vector_count; i++) free(outcome->vectors[i]);
    free(outcome->prompt);
    yyjson_doc_free(outcome->end);
    *outcome = (struct outcome){ 0 };
}

/* yyjson refuses bytes that are not UTF-8, so a document that parses is whole. */
static yyjson_doc *parse(const struct frame *frame) {
    yyjson_doc *doc = yyjson_read(frame->payload, frame->len, 0);
    if (!doc) fail_msg("not JSON: %.*s", (int)frame->len, frame->payload);
    return doc;
}

static void add_started(struct outcome *o, const struct frame *frame) {
    yyjson_doc *doc = parse(frame);
    const char *prompt = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "prompt"));
    assert_false(o->started);
    o->started = true;
    if (prompt) o->prompt = xstrdup(prompt);
    yyjson_doc_free(doc);
}

static void add_text(struct buf *to, yyjson_val *obj, const char *name) {
    const char *text = yyjson_get_str(yyjson_obj_get(obj, name));
    if (text) assert_true(buf_add_str(to, text));
}

static void add_call(struct outcome *o, yyjson_val *call) {
    int64_t index = yyjson_get_int(yyjson_obj_get(call, "index"));
    assert_in_range(index, 0, OUTCOME_MAX_CALLS - 1);
    bool first = index >= o->call_count;
    assert_int_equal(first, yyjson_is_str(yyjson_obj_get(call, "name")));
    assert_int_equal(first, yyjson_is_str(yyjson_obj_get(call, "id")));
    if (first) o->call_count = (int)index + 1;
    add_text(&o->calls[index].id, call, "id");
    add_text(&o->calls[index].name, call, "name");
    add_text(&o->calls[index].arguments, call, "arguments");
}

static void add_delta(struct outcome *o, const struct frame *frame) {
    yyjson_doc *doc = parse(frame);
    yyjson_val *root = yyjson_doc_get_root(doc), *val;
    size_t i, max;
    o->deltas++;
    add_text(&o->content, root, "content");
    add_text(&o->reasoning, root, "reasoning");
    yyjson_arr_foreach(yyjson_obj_get(root, "tool_calls"), i, max, val) add_call(o, val);
    yyjson_arr_foreach(yyjson_obj_get(root, "logprobs"), i, max, val) {
        add_text(&o->logprobs, val, "token");
        assert_true(buf_add_str(&o->logprobs, "|"));
        assert_true(yyjson_get_real(yyjson_obj_get(val, "logprob")) <= 0);
    }
    yyjson_doc_free(doc);
}

static void add_vector(struct outcome *o, const struct frame *frame) {
    assert_true(o->vector_count < OUTCOME_MAX_VECTORS);
    float *copy = xcalloc(1, frame->len);
    memcpy(copy, frame->payload, frame->len);
    o->vector_len = frame->len / sizeof *copy;
    o->vectors[o->vector_count++] = copy;
}

void outcome_add(struct outcome *outcome, const struct frame *frame) {
    assert_false(outcome->ended); /* DONE or ERROR is the last frame */
    switch (frame->type) {
    case MSG_STARTED:
        add_started(outcome, frame);
        break;
    case MSG_PROMPT:
        outcome->prompts++;
        break;
    case MSG_DELTA:
        add_delta(outcome, frame);
        break;
    case MSG_VECTOR:
        add_vector(outcome, frame);
        break;
    case MSG_ERROR:
        outcome->failed = true; /* fall through */
    case MSG_DONE:
        outcome->ended = true;
        outcome->end = parse(frame);
        break;
    default:
        fail_msg("frame type %d", frame->type);
    }
}

static yyjson_val *field(const struct outcome *outcome, const char *name) {
    return yyjson_obj_get(yyjson_doc_get_root(outcome->end), name);
}

int64_t outcome_int(const struct outcome *outcome, const char *name) {
    assert_true(yyjson_is_int(field(outcome, name)));
    return yyjson_get_sint(field(outcome, name));
}

double outcome_real(const struct outcome *outcome, const char *name) {
    assert_true(yyjson_is_num(field(outcome, name)));
    return yyjson_get_num(field(outcome, name));
}

const char *outcome_str(const struct outcome *outcome, const char *name) {
    return yyjson_get_str(field(outcome, name));
}
