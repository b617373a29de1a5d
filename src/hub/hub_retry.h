/* SPDX-License-Identifier: MIT */
/*
 * hub_retry.h - what an answer of a hub means: go on, try again later, or give up with a
 * sentence for the person who asked. Pure.
 */
#ifndef DOZE_HUB_HUB_RETRY_H
#define DOZE_HUB_HUB_RETRY_H

#include "base/error.h"
#include "base/msec.h"

struct hub_answer {
    long status;         /* of HTTP; 0: the connection failed */
    char error_code[32]; /* header X-Error-Code: "GatedRepo"; "" if none */
    int retry_after;     /* header Retry-After, seconds; 0 if none */
    char reason[128];    /* why the connection failed, a phrase; "" if it did not */
};

enum hub_verdict { HUB_OK, HUB_RETRY, HUB_FAILED };

/* about: the repository, "owner/repo". With HUB_RETRY and HUB_FAILED *err says why. 408, 429,
 * 5xx and failed connections are tried again. */
enum hub_verdict hub_judge(const struct hub_answer *answer, const char *about,
                           struct error *err);

/* Without progress a transfer is tried this often, unless somebody watches it. */
enum { HUB_TRIES_MAX = 12 };

/* How long to wait before try number `tries` (1, 2, ...) after the first: what the answer asks
 * for, at most an hour; else 1 s, 2 s, 4 s up to a minute, from half of it to all of it as
 * chance (0 to 1) wants. */
msec hub_delay(unsigned tries, int retry_after, double chance);

#endif
