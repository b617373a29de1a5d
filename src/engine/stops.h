/* SPDX-License-Identifier: MIT */
/*
 * stops.h - finding stop strings in text that comes in pieces. Pure.
 *
 * The caller keeps the text that it has not sent yet and passes all of it each time. It must
 * hold back what could be the beginning of a stop string.
 */
#ifndef DOZE_ENGINE_STOPS_H
#define DOZE_ENGINE_STOPS_H

#include <stddef.h>

struct stops {
    const char **words; /* none is empty; borrowed */
    size_t count;
};

struct stops_found {
    size_t safe; /* bytes at the front that are not part of a stop string */
    int word;    /* index of the stop string that begins right after them; -1: none yet */
};

/* The earliest stop string in the text wins; of those that begin together, the first listed. */
struct stops_found stops_scan(const struct stops *stops, const char *text, size_t len);

#endif
