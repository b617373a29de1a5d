/* SPDX-License-Identifier: MIT */
/*
 * openai.h - the OpenAI translator, shared by the dialects that are OpenAI's with additions.
 *
 * Pure. The body of a request goes through openai_parse; a struct reply turns the events back
 * into OpenAI's objects, or into their chunks as server-sent events. What differs between chat
 * and completions is a struct reply_form; what a dialect adds at the end is its reply_end_hook.
 */
#ifndef DOZE_API_OPENAI_OPENAI_H
#define DOZE_API_OPENAI_OPENAI_H

#include "api/dialect.h"

bool openai_parse(enum service_op op, const char *body, size_t len, struct parsed *ret_parsed,
                  struct error *err);
void openai_format_error(const struct error *err, struct buf *out);

/* Adds a dialect's own fields to the last chunk of a choice, or to the whole answer; usage and
 * timing of *end are then those of all choices together. */
typedef void reply_end_hook(yyjson_mut_doc *doc, yyjson_mut_val *root,
                            const struct service_event *end);

/* As in struct dialect; hook may be NULL. */
struct reply *openai_reply_new(const struct reply_options *options, int count, const char *id,
                               int64_t created, reply_end_hook *hook);
void openai_reply_free(struct reply *reply);
enum reply_step openai_reply_event(struct reply *reply, int index,
                                   const struct service_event *ev, struct buf *out);

/* ---- inside the translator ---- */

enum {
    ANSWER_MAX_BYTES = 64 << 20,
    ARGUMENTS_MAX_BYTES = 16 << 20,
    LOGPROBS_MAX_TOKENS = 1 << 18
};

struct tool_call {
    char *id, *name;
    struct buf arguments;
};

/* One of the answers that a reply is made of. The collected parts stay empty in a stream. */
struct choice {
    bool begun; /* its first chunk, the one with the role, was written */
    bool ended;
    bool cut; /* longer than we collect; told as finish_reason "length" */
    enum stop_reason stop_reason;
    struct buf text, reasoning;
    struct tool_call calls[DELTA_MAX_CALLS];
    int call_count;
    yyjson_mut_doc *logprobs; /* an array of the worker's entries; NULL while there are none */
    int64_t text_offset;      /* characters before the next token that has logprobs */
};

void choice_clear(struct choice *choice);
/* Collect a SERVICE_DELTA. */
void choice_keep(struct choice *choice, const struct service_event *ev);

struct reply_form {
    const char *id_prefix, *object, *chunk_object;
    /* Fields of the first chunk's choice; NULL: none is needed. */
    void (*add_opening)(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index);
    /* ... of the choice in the chunk of a SERVICE_DELTA, or of SERVICE_DONE, which adds
     * nothing. */
    void (*add_piece)(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index,
                      const struct service_event *ev, const char *reply_id);
    /* ... of the choice in a whole answer. */
    void (*add_whole)(yyjson_mut_doc *doc, yyjson_mut_val *choice, int index,
                      const struct choice *from, const char *reply_id);
    /* The worker's entries, an array of doc, in the form's own way. */
    yyjson_mut_val *(*logprobs)(yyjson_mut_doc *doc, yyjson_mut_val *entries, int64_t *offset);
};
extern const struct reply_form chat_form, completion_form;

/* Characters of UTF-8 text. */
int64_t text_length(const char *text);

/* Collect a SERVICE_VECTOR; false if the answer gets too large. */
bool vectors_keep(struct buf *vectors, const struct service_event *ev);
/* The whole answer to /v1/embeddings. */
void embeddings_format(const struct buf *vectors, const struct reply_options *options,
                       const char *model, const struct service_usage *usage, struct buf *out);

#endif
