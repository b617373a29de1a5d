/* SPDX-License-Identifier: MIT */
/*
 * Each case of a dialect's folder: NAME.request.json, a body as a client sends it, must become
 * NAME.neutral.json; if there is a NAME.events.jsonl, those events must become NAME.reply.txt.
 * The name's first word says which endpoint.
 */
#include <stdlib.h>
#include <string.h>

#include "api/anthropic/anthropic.h"
#include "api/decisions/decisions.h"
#include "api/lmstudio_rest/v0.h"
#include "api/lmstudio_rest/v1_chat.h"
#include "api/ollama/ollama.h"
#include "api/openai/openai.h"
#include "api/rerank/rerank.h"
#include "api/responses/responses.h"
#include "base/json.h"
#include "cmocka_prelude.h"
#include "events.h"
#include "golden.h"

static const struct dialect *const dialects[] = {
    &dialect_openai,           &dialect_lmstudio_v0, &dialect_anthropic,
    &dialect_responses,        &dialect_ollama,      &dialect_ollama_prompt,
    &dialect_lmstudio_v1_chat, &dialect_rerank,      &dialect_decisions
};

static const struct dialect *dialect_of(const struct golden_case *c) {
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        size_t len = strlen(dialects[i]->name);
        if (strncmp(c->name, dialects[i]->name, len) == 0 && c->name[len] == '/')
            return dialects[i];
    }
    fail_msg("%s: no such dialect", c->name);
    return NULL;
}

static enum service_op op_of(const struct golden_case *c) {
    static const char *const words[] = {
        [OP_CHAT] = "chat-",   [OP_COMPLETION] = "completion-", [OP_EMBEDDING] = "embedding-",
        [OP_RERANK] = "rank-", [OP_TOKENIZE] = "tokenize-",     [OP_TEMPLATE] = "count-"
    };
    const char *name = strchr(c->name, '/') + 1;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strncmp(name, words[i], strlen(words[i])) == 0) return (enum service_op)i;
    }
    fail_msg("%s: the name must begin with chat-, completion-, embedding-, rank- or count-",
             c->name);
    return OP_CHAT;
}

static void check_doc(const struct golden_case *c, yyjson_mut_doc *doc) {
    struct buf out = BUF_INIT(1 << 20);
    char *text = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY_TWO_SPACES, NULL);
    assert_non_null(text);
    assert_true(buf_add_str(&out, text) && buf_add_str(&out, "\n"));
    free(text);
    yyjson_mut_doc_free(doc);
    golden_check(c, ".neutral.json", &out);
    buf_clear(&out);
}

static void check_refused(const struct golden_case *c, const struct dialect *dialect,
                          const struct error *err) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    struct buf body = BUF_INIT(1 << 16);
    struct error problem;
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_int(doc, root, "status", error_status(err->code));
    dialect->format_error(err, &body);
    yyjson_doc *answer = json_parse(body.data, body.len, &problem);
    assert_non_null(answer);
    yyjson_mut_obj_add_val(doc, root, "body",
                           yyjson_val_mut_copy(doc, yyjson_doc_get_root(answer)));
    check_doc(c, doc);
    yyjson_doc_free(answer);
    buf_clear(&body);
}

static void add_ttl(yyjson_mut_doc *doc, yyjson_mut_val *out, struct ttl ttl) {
    if (!ttl.given) return;
    if (ttl.value == MSEC_NEVER) {
        yyjson_mut_obj_add_str(doc, out, "ttl", "never");
    } else {
        yyjson_mut_obj_add_int(doc, out, "ttl_ms", ttl.value);
    }
}

static void add_options(yyjson_mut_doc *doc, yyjson_mut_val *root,
                        const struct reply_options *from) {
    yyjson_mut_val *out = yyjson_mut_obj_add_obj(doc, root, "options");
    yyjson_mut_obj_add_strcpy(doc, out, "model", from->model);
    yyjson_mut_obj_add_bool(doc, out, "stream", from->stream);
    yyjson_mut_obj_add_bool(doc, out, "include_usage", from->include_usage);
    yyjson_mut_obj_add_bool(doc, out, "base64", from->base64);
    yyjson_mut_obj_add_bool(doc, out, "logprobs", from->logprobs);
    if (from->reasoning) {
        yyjson_mut_obj_add_bool(doc, out, "reasoning_text", from->reasoning_text);
    }
    if (from->op == OP_RERANK) {
        yyjson_mut_obj_add_int(doc, out, "top_n", from->top_n);
        yyjson_mut_obj_add_bool(doc, out, "documents", from->echo != NULL);
    }
    if (from->vectors) yyjson_mut_obj_add_bool(doc, out, "vectors", true);
    if (from->unload) yyjson_mut_obj_add_bool(doc, out, "unload", true);
}

static void check_parsed(const struct golden_case *c, const struct parsed *parsed) {
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    add_options(doc, root, &parsed->options);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "requests");
    for (int i = 0; i < parsed->count; i++) {
        const struct service_request *request = &parsed->requests[i];
        yyjson_mut_val *out = yyjson_mut_arr_add_obj(doc, list);
        assert_int_equal(request->op, parsed->options.op);
        if (request->model) yyjson_mut_obj_add_strcpy(doc, out, "model", request->model);
        add_ttl(doc, out, request->ttl);
        if (request->context_length)
            yyjson_mut_obj_add_int(doc, out, "context_length", request->context_length);
        if (request->draft_model)
            yyjson_mut_obj_add_strcpy(doc, out, "draft_model", request->draft_model);
        yyjson_mut_val *body = yyjson_mut_doc_get_root(request->body);
        yyjson_mut_obj_add_val(doc, out, "body", yyjson_mut_val_mut_copy(doc, body));
    }
    check_doc(c, doc);
}

static void replace_all(struct buf *text, const char *old, const char *new) {
    struct buf out = BUF_INIT(text->max);
    const char *at = buf_str(text), *hit;
    while ((hit = strstr(at, old)) != NULL) {
        assert_true(buf_add(&out, at, (size_t)(hit - at)) && buf_add_str(&out, new));
        at = hit + strlen(old);
    }
    assert_true(buf_add_str(&out, at));
    buf_clear(text);
    *text = out;
}

/* One line of events; after the last the reply must be at its end, and not before. */
static void play_line(struct reply *reply, const struct dialect *dialect, const char *line,
                      size_t len, bool last, struct buf *out) {
    struct error err = { 0 };
    struct event_line event;
    yyjson_doc *doc = json_parse(line, len, &err);
    if (!doc) fail_msg("events: %s", err.text);
    event_read(yyjson_doc_get_root(doc), &event);
    enum reply_step step = dialect->reply_event(reply, event.index, &event.event, out);
    assert_int_equal(step, last ? REPLY_END : REPLY_MORE);
    yyjson_doc_free(doc);
}

static void check_reply(const struct golden_case *c, const struct dialect *dialect,
                        const struct parsed *parsed, const struct buf *events) {
    struct buf out = BUF_INIT(1 << 20);
    struct reply *reply = dialect->reply_new(&parsed->options, parsed->count, "golden",
                                             1700000000);
    const char *at = buf_str(events), *end;
    while ((end = strchr(at, '\n')) != NULL) {
        play_line(reply, dialect, at, (size_t)(end - at), end[1] == '\0', &out);
        at = end + 1;
    }
    assert_string_equal(at, ""); /* the last line ends too */
    dialect->reply_free(reply);
    assert_false(out.overflowed);
    replace_all(&out, "\"doze-" DOZE_VERSION "\"", "\"doze-VERSION\"");
    replace_all(&out, "\"version\":\"" DOZE_VERSION "\"", "\"version\":\"VERSION\"");
    golden_check(c, ".reply.txt", &out);
    buf_clear(&out);
}

static void run(const struct golden_case *c) {
    const struct dialect *dialect = dialect_of(c);
    struct buf body, events;
    struct parsed parsed = { 0 };
    struct error err = { 0 };
    assert_true(golden_read(c, ".request.json", &body));
    bool has_events = golden_read(c, ".events.jsonl", &events);
    if (dialect->parse(op_of(c), buf_str(&body), body.len, &parsed, &err)) {
        check_parsed(c, &parsed);
        if (has_events) check_reply(c, dialect, &parsed, &events);
        parsed_clear(&parsed);
    } else {
        assert_false(has_events);
        check_refused(c, dialect, &err);
    }
    buf_clear(&body);
    if (has_events) buf_clear(&events);
}

int main(void) {
    int failed = 0;
    for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
        failed += golden_run(dialects[i]->name, ".request.json", run);
    }
    return failed != 0;
}
