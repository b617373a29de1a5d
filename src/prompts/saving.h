/* SPDX-License-Identifier: MIT */
/* saving.h - when an idle worker writes a sequence to disk. Pure. */
#ifndef DOZE_PROMPTS_SAVING_H
#define DOZE_PROMPTS_SAVING_H

#include <stddef.h>
#include <stdint.h>

/* us of idling after which what is worth writing is written. */
enum { SAVING_USEC = 2000000 };

/* us of idling after which a sequence of `processed` tokens is written, of which `saved` are on
 * disk. A long conversation is not written again after each of its turns: only with an eighth
 * more, or when it pauses for `pause` us, as long as a worker waits before it shrinks. Then
 * whatever takes this worker's place need not wait for the writing. */
int64_t saving_after(size_t processed, size_t saved, int64_t pause);

#endif
