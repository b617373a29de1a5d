/* SPDX-License-Identifier: MIT */
/*
 * capabilities.h - what a model can do, guessed from its chat template and architecture. Pure.
 *
 * A guess for lists only: the worker reads the template for good when the model is loaded.
 */
#ifndef DOZE_CATALOG_CAPABILITIES_H
#define DOZE_CATALOG_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The template uses the variable `tools`. */
bool template_has_tools(const char *text, size_t len);

/* The template knows thinking: <think>, enable_thinking, reasoning_content, ... */
bool template_has_reasoning(const char *text, size_t len);

/* Models that answer with vectors: encoders by architecture, others by their pooling type (as
 * gguf_meta.h has it). */
bool architecture_is_embedding(const char *architecture, int64_t pooling_type);

#endif
