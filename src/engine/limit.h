/* SPDX-License-Identifier: MIT */
/* limit.h - the daemon's limit of memory has changed while the model is loaded. */
#ifndef DOZE_ENGINE_LIMIT_H
#define DOZE_ENGINE_LIMIT_H

#include <stdint.h>

struct engine;

/* The worker may take `most` bytes in all: give back what is over them, as far as nobody works
 * with it. Or there is more room: what was refused may be tried again. */
void limit_obey(struct engine *engine, uint64_t most);

#endif
