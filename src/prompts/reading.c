/* SPDX-License-Identifier: MIT */
#include "prompts/reading.h"

void reading_note(struct reading *reading, uint64_t bytes, int64_t us, int64_t now) {
    reading->speed = (double)bytes * 1e6 / (double)(us > 0 ? us : 1);
    reading->at = now;
}

bool reading_pays(const struct reading *reading, uint64_t bytes, size_t tokens, double speed,
                  int64_t now) {
    if (reading->speed <= 0) return true;
    if (now - reading->at >= READING_STALE_USEC) return true;
    return (double)bytes * speed <= (double)tokens * reading->speed;
}
