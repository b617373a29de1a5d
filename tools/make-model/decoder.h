/* SPDX-License-Identifier: MIT */
/*
 * decoder.h - what random and spoken models share: shape from options, chat template, output.
 */
#ifndef DOZE_TOOLS_DECODER_H
#define DOZE_TOOLS_DECODER_H

#include "gguf_file.h"
#include "make.h"
#include "shape.h"

/* The shape that the options ask for; fields not given come from `base`. */
bool decoder_shape(const struct decoder_options *options, const struct shape *base,
                   int64_t vocab, struct shape *ret_shape, struct error *err);

/* The chat template's text: the file of the options, or ChatML. The caller frees. NULL on
 * failure. */
char *decoder_template(const struct decoder_options *options, struct error *err);

/* The whole file as text of at most `max` bytes; the caller frees. NULL on failure. */
char *read_text_file(const char *path, size_t max, struct error *err);

#endif
