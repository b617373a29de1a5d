/* SPDX-License-Identifier: MIT */
/* reply.h - the frames to the daemon that are not deltas of an answer. */
#ifndef DOZE_ENGINE_REPLY_H
#define DOZE_ENGINE_REPLY_H

#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/error.h"
#include "engine/job.h"
#include "engine/link.h"

struct engine;

/* What the worker takes now. */
void reply_memory(struct engine *engine);

/* FAILED, at once. */
void reply_failed(struct link *link, const struct error *err);

void reply_error(struct link *link, uint64_t request, const struct error *err);
/* The payload of ERROR. */
void reply_format_error(struct buf *out, const struct error *err);
void reply_started(struct link *link, const struct job *job);
/* processed: tokens of the prompt, cached ones included. */
void reply_prompt(struct link *link, const struct job *job, size_t processed);
void reply_done(struct link *link, const struct job *job, enum stop_reason reason);

/* The payload of DONE with a result of the document. Takes the document. ERR_TOO_LARGE: it does
 * not fit into a frame. */
bool reply_format_result(struct buf *out, yyjson_mut_doc *doc, yyjson_mut_val *result,
                         struct error *err);

/* How well a document fits, as a vector of one number. */
void reply_score(struct link *link, uint64_t request, float score);

/* The vector, scaled to length 1. */
void reply_vector(struct link *link, uint64_t request, const float *vector, size_t len);

#endif
