/* SPDX-License-Identifier: MIT */
#include "daemon/api_key.h"

#include <nettle/memops.h>
#include <stdio.h>
#include <string.h>

enum { IDENTIFIER_LEN = 8, PASSKEY_LEN = 20 }; /* of a token */

bool api_key_ends(const char *key, const char *passkey) {
    size_t len = strlen(key), given = strlen(passkey);
    return given >= len && memeql_sec(passkey + given - len, key, len);
}

bool api_key_is(const char *key, const char *given) {
    return strlen(given) == strlen(key) && api_key_ends(key, given);
}

bool api_key_is_token(const char *key, const char *identifier, const char *passkey) {
    char token[sizeof "sk-lm-:" + IDENTIFIER_LEN + PASSKEY_LEN];
    if (strlen(identifier) != IDENTIFIER_LEN || strlen(passkey) != PASSKEY_LEN) return false;
    snprintf(token, sizeof token, "sk-lm-%s:%s", identifier, passkey);
    return api_key_is(key, token);
}
