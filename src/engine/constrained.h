/* SPDX-License-Identifier: MIT */
/*
 * constrained.h - answers that must match a schema, a grammar or a format of tool calls: each
 * has a preparer of its own that judges token after token.
 *
 * A grammar may take any time and memory for a token. So the worker waits a moment for a
 * verdict, and then the other answers go on: this one has its turn when the verdict has come,
 * or ends when a token takes longer than PREPARE_TOKEN_MS.
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

/* Find it a preparer, so that the rules are read while the prompt is processed. What the prompt
 * has beyond job->prompt_tokens was said by the answer before it was put aside, and counts. */
void constrained_begin(struct engine *engine, struct job *job);
/* The answer is put aside; its preparer is for others. Not while a token is judged. */
void constrained_leave(struct job *job);

/* The model would continue with this token. VERDICT_LATE keeps a copy of the logits in the
 * job. */
void constrained_ask(struct engine *engine, struct job *job, llama_token token,
                     const float *logits, struct verdict *ret);
/* Has the verdict come that was late? */
void constrained_look(struct engine *engine, struct job *job, struct verdict *ret);

/* After VERDICT_MASK: the answer continues with this one. */
void constrained_accept(struct job *job, llama_token token);

#endif
