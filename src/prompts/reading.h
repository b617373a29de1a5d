/* SPDX-License-Identifier: MIT */
/*
 * reading.h - decides whether reading a stored prompt back is faster than processing it again,
 * by measurements. Pure: time is an argument.
 *
 * On a CPU, reading is hundreds of times as fast. On a fast GPU with a slow disk it may not
 * be.
 */
#ifndef DOZE_PROMPTS_READING_H
#define DOZE_PROMPTS_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How fast this worker has read its last entry from the disk, check and copy included. All 0:
 * none yet. */
struct reading {
    double speed; /* bytes per second */
    int64_t at;   /* us */
};

/* us after which a figure no longer counts: the disk may have been busy. */
enum { READING_STALE_USEC = 600000000 };

void reading_note(struct reading *reading, uint64_t bytes, int64_t us, int64_t now);

/* Is reading `bytes` faster than processing the tokens that they save? speed: of processing,
 * in tokens per second; 0: not known, then true. */
bool reading_pays(const struct reading *reading, uint64_t bytes, size_t tokens, double speed,
                  int64_t now);

#endif
