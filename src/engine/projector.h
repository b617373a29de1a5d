/* SPDX-License-Identifier: MIT */
/*
 * projector.h - the eyes of a model: an mmproj file, which makes vectors of a picture that
 * stand where a word's embedding would. Computed by llama.cpp's mtmd.
 *
 * A picture is cut into pieces, some of which are text: marks of where it begins and ends. The
 * same picture is always cut in the same way, so a preparer and the worker do it each for
 * itself and only places and lengths pass between them.
 */
#ifndef DOZE_ENGINE_PROJECTOR_H
#define DOZE_ENGINE_PROJECTOR_H

#include <llama.h>
#include <mtmd.h>
#include <stdbool.h>

#include "base/error.h"
#include "engine/picture.h"

struct projector;

/* What is made of a prompt's pictures on the way. */
struct seen {
    mtmd_input_chunks *chunks; /* of the picture that was cut last; NULL: none */
    int32_t picture;           /* its number in the request */
    float *vectors;            /* of its piece that is being decoded; NULL: none is */
};

/* Accepts a zeroed one. */
void seen_clear(struct seen *seen);

/* The model must outlive it. ERR_LOAD_FAILED, ERR_NO_MEMORY or ERR_NOT_SUPPORTED: the model
 * cannot see with it; the sentence goes on after "This model cannot see: ". */
struct projector *projector_open(const char *path, const struct llama_model *weights,
                                 int threads, bool gpu, struct error *err);
/* Accepts NULL. */
void projector_close(struct projector *projector);

/* The tokens of a piece see one another, so that they have to be decoded at once. */
bool projector_sees_whole(const struct projector *projector);

/* Cut a picture; free with mtmd_input_chunks_free(). NULL with ERR_INVALID_REQUEST: it cannot
 * be.
 */
mtmd_input_chunks *projector_cut(const struct projector *projector,
                                 const struct picture *picture, size_t number,
                                 struct error *err);

/* The vectors of a piece that is not text, one after the other; borrowed until the next call.
 * stop: asked time and again, true gives up. NULL: given up, or *ret_failed. */
const float *projector_encode(struct projector *projector, const mtmd_input_chunk *chunk,
                              bool (*stop)(void *ctx), void *ctx, bool *ret_failed);

#endif
