/* SPDX-License-Identifier: MIT */
#include "daemon/api_key.h"

#include <nettle/memops.h>
#include <string.h>

bool api_key_ends(const char *key, const char *passkey) {
    size_t len = strlen(key), given = strlen(passkey);
    return given >= len && memeql_sec(passkey + given - len, key, len);
}

bool api_key_is(const char *key, const char *given) {
    return strlen(given) == strlen(key) && api_key_ends(key, given);
}
