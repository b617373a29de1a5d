/* SPDX-License-Identifier: MIT */
/*
 * fingerprint.h - what the state of a sequence depends on, beside its tokens: the model's file,
 * the engine, and the settings of the context.
 */
#ifndef DOZE_ENGINE_FINGERPRINT_H
#define DOZE_ENGINE_FINGERPRINT_H

#include <stdbool.h>

#include "engine/context.h"
#include "engine/model.h"
#include "ipc/load_message.h"
#include "prompts/entry.h"

/* First half: size, time and first bytes of every file (they hold its metadata and tensor
 * index), and the engine's release. Second half: the settings, and the same figures of the
 * adapters' files, so that states made with other adapters are kept apart but not discarded.
 * False: a file cannot be read. */
bool fingerprint_make(const struct model *model, const struct context *context,
                      const struct load_message *request, unsigned char ret[FINGERPRINT_SIZE]);

#endif
