/* SPDX-License-Identifier: MIT */
/*
 * capabilities.h - what a model can do, guessed from its chat template and architecture. Pure.
 *
 * A guess, good enough for listings: the worker evaluates the template when it loads the model.
 */
#ifndef DOZE_CATALOG_CAPABILITIES_H
#define DOZE_CATALOG_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The template uses the variable `tools`. */
bool template_has_tools(const char *text, size_t len);

/* The template handles reasoning: <think>, enable_thinking, reasoning_content, ... */
bool template_has_reasoning(const char *text, size_t len);

/* Does the model return vectors? True for encoders by their architecture, for others by their
 * pooling type (see gguf_meta.h). */
bool architecture_is_embedding(const char *architecture, int64_t pooling_type);
/* Of those: does it rank documents instead? */
bool pooling_is_rank(int64_t pooling_type);

/* Marks of a text with a gap, one bit for each of before, after and where the answer begins, as
 * llama-vocab.cpp finds them: by a key of the file, else by the token's text. 0: none. */
enum { INFILL_MARKS = 7, INFILL_MARK_MAX = 24 /* bytes of a mark, or more */ };
unsigned infill_mark_of_key(const char *key);
unsigned infill_mark_of_token(const char *text, size_t len);

#endif
