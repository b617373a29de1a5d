/* SPDX-License-Identifier: MIT */
/*
 * api_key.h - compares keys. Pure. The time of a comparison depends only on the lengths, so
 * it does not tell a client how much of its guess was right.
 */
#ifndef DOZE_DAEMON_API_KEY_H
#define DOZE_DAEMON_API_KEY_H

#include <stdbool.h>

/* The setting api_key against the key of an Authorization header or of an SDK client. */
bool api_key_is(const char *key, const char *given);

/* Does the passkey end with the key? */
bool api_key_ends(const char *key, const char *passkey);

#endif
