/* SPDX-License-Identifier: MIT */
/* limit.h - the daemon's limit of memory has changed while the model is loaded. */
#ifndef DOZE_ENGINE_LIMIT_H
#define DOZE_ENGINE_LIMIT_H

#include <stdint.h>

struct engine;

/* The worker may take `most` bytes in all: give back what exceeds them and is not in use. If
 * the limit was raised, what was refused may be tried again. */
void limit_obey(struct engine *engine, uint64_t most);

#endif
