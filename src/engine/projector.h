/* SPDX-License-Identifier: MIT */
/*
 * projector.h - an mmproj file, which turns a picture into vectors that take the place of word
 * embeddings. Computed by llama.cpp's mtmd.
 *
 * A picture is cut into pieces, some of them text that marks where it begins and ends. The
 * same picture is always cut the same way, so preparer and worker each cut it, and only places
 * and lengths pass between them.
 */
#ifndef DOZE_ENGINE_PROJECTOR_H
#define DOZE_ENGINE_PROJECTOR_H

#include <llama.h>
#include <mtmd.h>
#include <stdbool.h>

#include "base/error.h"
#include "engine/picture.h"

struct projector;

/* How far the pictures of a prompt are encoded. */
struct picture_encoding {
    mtmd_input_chunks *chunks; /* of the picture that was cut last; NULL: none */
    int32_t picture;           /* its number in the request */
    float *vectors;            /* of its piece that is being decoded; NULL: none is */
};

/* Accepts a zeroed one. */
void picture_encoding_clear(struct picture_encoding *encoding);

/* The model must outlive it. ERR_LOAD_FAILED, ERR_NO_MEMORY or ERR_NOT_SUPPORTED: the model
 * reads no images; the sentence goes on after "This model cannot read images: ". */
struct projector *projector_open(const char *path, const struct llama_model *weights,
                                 int threads, bool gpu, struct error *err);
/* Accepts NULL. */
void projector_close(struct projector *projector);

/* Do the tokens of a piece attend to one another, so that they must be decoded in one batch? */
bool projector_is_non_causal(const struct projector *projector);

/* Cut a picture; free with mtmd_input_chunks_free(). NULL with ERR_INVALID_REQUEST: it cannot
 * be.
 */
mtmd_input_chunks *projector_cut(const struct projector *projector,
                                 const struct picture *picture, size_t number,
                                 struct error *err);

/* The vectors of a piece that is not text, one after the other; borrowed until the next call.
 * stop: asked repeatedly; true gives up. NULL: given up, or *ret_failed. */
const float *projector_encode(struct projector *projector, const mtmd_input_chunk *chunk,
                              bool (*stop)(void *ctx), void *ctx, bool *ret_failed);

#endif
