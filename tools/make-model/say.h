/* SPDX-License-Identifier: MIT */
/*
 * say.h - what a GGUF file says, straight from libllama: to check made models without doze.
 */
#ifndef DOZE_TOOLS_SAY_H
#define DOZE_TOOLS_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

struct say_options {
    const char *model,
        *prompt;         /* the prompt is tokenized with its special tokens, no template */
    const char *adapter; /* NULL: none */
    double scale;        /* of the adapter */
    int64_t tokens;      /* at most; 0: 64 */
};

/* Append what greedy decoding says after the prompt; *ret_ended: it ended by itself. Fails with
 * libllama's last complaint if the file cannot be loaded. */
bool say_text(const struct say_options *options, struct buf *out, bool *ret_ended,
              struct error *err);

/* The pooled vector of the prompt by an embedding model. The caller frees; NULL on failure. */
float *say_vector(const struct say_options *options, int32_t *ret_length, struct error *err);

#endif
