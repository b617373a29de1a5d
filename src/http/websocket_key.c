/* SPDX-License-Identifier: MIT */
/* websocket_key.c - proves that the server speaks WebSocket (RFC 6455, 4.2.2). SHA-1's weakness
 * does not matter: it protects nothing here. */
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <stdio.h>
#include <string.h>

#include "http/websocket.h"

enum { KEY_LEN = 24, NONCE = 16 };
_Static_assert(WEBSOCKET_ACCEPT_SIZE == BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) + 1, "NUL");

/* Base64 of 16 bytes. */
static bool is_key(const char *key) {
    struct base64_decode_ctx base64;
    uint8_t nonce[BASE64_DECODE_LENGTH(KEY_LEN)];
    size_t len = sizeof nonce;
    if (strlen(key) != KEY_LEN) return false;
    base64_decode_init(&base64);
    return base64_decode_update(&base64, &len, nonce, KEY_LEN, key) &&
           base64_decode_final(&base64) && len == NONCE;
}

bool websocket_accept_key(const char *key, char ret_accept[WEBSOCKET_ACCEPT_SIZE]) {
    char text[KEY_LEN + 40];
    uint8_t digest[SHA1_DIGEST_SIZE];
    struct sha1_ctx sha1;
    if (!is_key(key)) return false;
    int len = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1_init(&sha1);
    sha1_update(&sha1, (size_t)len, (const uint8_t *)text);
    sha1_digest(&sha1, sizeof digest, digest);
    base64_encode_raw(ret_accept, sizeof digest, digest);
    ret_accept[WEBSOCKET_ACCEPT_SIZE - 1] = '\0';
    return true;
}
