/* SPDX-License-Identifier: MIT */
/*
 * openai.h - the OpenAI dialect: chat, completions, embeddings and models.
 *
 * Pure. LM Studio's first REST dialect is this one with fields added at the end of an answer,
 * so it shares the translator: openai_parse for a body, a struct reply that turns events into
 * OpenAI's objects or their chunks as server-sent events, and a hook.
 */
#ifndef DOZE_API_OPENAI_OPENAI_H
#define DOZE_API_OPENAI_OPENAI_H

#include "api/dialect.h"

extern const struct dialect dialect_openai;

/* GET /v1/models */
void openai_format_models(const struct service_models *models, struct buf *out);
/* One model or instance by its id as listed; false if there is none. */
bool openai_format_model(const struct service_models *models, const char *id, struct buf *out);

/* ---- the translator, for a dialect that is OpenAI's with additions ---- */

/* As in struct dialect. */
bool openai_parse(enum service_op op, const char *body, size_t len, struct parsed *ret_parsed,
                  struct error *err);
/* The field "error" of out. Borrows the error's text until the document is written. */
void openai_add_error(yyjson_mut_doc *doc, yyjson_mut_val *out, const struct error *err);
void openai_format_error(const struct error *err, struct buf *out);

/* Adds a dialect's own fields to the last chunk of a choice, or to the whole answer; usage and
 * timing of *end are then those of all choices together. */
typedef void openai_end_hook(yyjson_mut_doc *doc, yyjson_mut_val *root,
                             const struct service_event *end);

/* As in struct dialect; hook may be NULL. */
struct reply *openai_reply_new(const struct reply_options *options, int count, const char *id,
                               int64_t created, openai_end_hook *hook);
void openai_reply_free(struct reply *reply);
enum reply_step openai_reply_event(struct reply *reply, int index,
                                   const struct service_event *ev, struct buf *out);
size_t openai_reply_held(const struct reply *reply);
void openai_format_waiting(struct reply *reply, const struct service_wait *wait,
                           struct buf *out);

/* The members of a struct dialect that is OpenAI's but for its name and reply_new. */
#define OPENAI_TRANSLATOR                                                                      \
    .parse = openai_parse, .reply_free = openai_reply_free, .reply_event = openai_reply_event, \
    .reply_held = openai_reply_held, .format_waiting = openai_format_waiting,                  \
    .format_error = openai_format_error

#endif
