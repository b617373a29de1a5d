/* SPDX-License-Identifier: MIT */
/* choice.h - one answer, collected for a client that wants it whole. */
#ifndef DOZE_API_OPENAI_CHOICE_H
#define DOZE_API_OPENAI_CHOICE_H

#include "api/service.h"
#include "base/buf.h"

enum {
    OPENAI_ANSWER_MAX = 64 << 20,    /* bytes of the text, and of the reasoning */
    OPENAI_ARGUMENTS_MAX = 16 << 20, /* bytes, of one call */
    OPENAI_LOGPROBS_MAX = 1 << 18,   /* tokens */
};

struct openai_tool_call {
    char *id, *name;
    struct buf arguments;
};

/* The collected parts stay empty in a stream. Begins zeroed. */
struct openai_choice {
    bool begun; /* its first chunk, the one with the role, was written */
    bool ended;
    bool cut; /* longer than the limits above; shown as finish_reason "length" */
    enum stop_reason stop_reason;
    struct buf text, reasoning;
    struct openai_tool_call calls[DELTA_MAX_CALLS];
    int call_count;
    yyjson_mut_doc *logprobs; /* an array of the worker's entries; NULL while there are none */
    int64_t text_offset;      /* characters before the next token that has logprobs */
};

void openai_choice_clear(struct openai_choice *choice);
/* Collect a SERVICE_DELTA. */
void openai_choice_keep(struct openai_choice *choice, const struct service_event *ev);

/* Characters of UTF-8 text. */
int64_t openai_text_length(const char *text);

#endif
