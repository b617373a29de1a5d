/* SPDX-License-Identifier: MIT */
/*
 * constrained.h - answers that must match a schema, a grammar or a format of tool calls. Each
 * has its own preparer, which judges every token.
 *
 * A grammar may take any amount of time and memory for a token. So the worker waits a moment
 * for a verdict, then goes on with the other answers. This one continues when its verdict has
 * come, and fails if a token takes longer than PREPARE_TOKEN_MS.
 */
#ifndef DOZE_ENGINE_CONSTRAINED_H
#define DOZE_ENGINE_CONSTRAINED_H

#include <stdbool.h>

#include "base/error.h"
#include "engine/engine.h"
#include "engine/job.h"

enum verdict_kind { VERDICT_LATE, VERDICT_ALLOWED, VERDICT_MASK, VERDICT_FAILED };

struct verdict {
    enum verdict_kind kind;
    const unsigned char
        *mask; /* of the tokens that are allowed; borrowed until the next call */
    struct error error;
};

/* False: any token is allowed. */
bool constrained_is(const struct job *job);

/* Find a preparer for the answer, which reads its rules while the prompt is processed. What
 * the prompt has beyond job->prompt_tokens is text of the answer from before it was put aside,
 * and counts as such. */
void constrained_begin(struct engine *engine, struct job *job);
/* The answer is put aside: free its preparer for others. Do not call it while a token is
 * judged. */
void constrained_leave(struct job *job);

/* The model would continue with this token. VERDICT_LATE keeps a copy of the logits in the
 * job. */
void constrained_ask(struct engine *engine, struct job *job, llama_token token,
                     const float *logits, struct verdict *ret);
/* Fetch the verdict that was late, if it has come by now. */
void constrained_look(struct engine *engine, struct job *job, struct verdict *ret);

/* After VERDICT_MASK: the answer continues with this one. */
void constrained_accept(struct job *job, llama_token token);

#endif
