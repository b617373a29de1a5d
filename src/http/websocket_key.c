/* SPDX-License-Identifier: MIT */
/* websocket_key.c - the proof that a server speaks WebSocket: SHA-1 (RFC 3174) and base64 of 20
 * bytes. It guards nothing, so that SHA-1 is weak is of no matter. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "http/websocket.h"

enum { KEY_LEN = 24, BLOCK = 64, DIGEST = 20 };

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t rotate(uint32_t x, int bits) {
    return x << bits | x >> (32 - bits);
}

static uint32_t mix(int round, uint32_t b, uint32_t c, uint32_t d) {
    if (round < 20) return ((b & c) | (~b & d)) + 0x5a827999;
    if (round < 40) return (b ^ c ^ d) + 0x6ed9eba1;
    if (round < 60) return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void sha1_block(uint32_t h[5], const unsigned char *block) {
    uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 16; i++) {
        const unsigned char *p = block + 4 * i;
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    for (int i = 0; i < 80; i++) {
        uint32_t next = rotate(a, 5) + mix(i, b, c, d) + e + w[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    h[0] += a;
    h[1] += b;
    h[2] += c;
    h[3] += d;
    h[4] += e;
}

/* len < 120: the key and the GUID are 60 bytes, so padding makes two blocks of them. */
static void sha1(const char *text, size_t len, unsigned char ret[DIGEST]) {
    uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    unsigned char blocks[2 * BLOCK] = { 0 };
    memcpy(blocks, text, len);
    blocks[len] = 0x80;
    blocks[2 * BLOCK - 2] = (unsigned char)(len * 8 >> 8);
    blocks[2 * BLOCK - 1] = (unsigned char)(len * 8);
    sha1_block(h, blocks);
    sha1_block(h, blocks + BLOCK);
    for (int i = 0; i < DIGEST; i++) ret[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}

/* 20 bytes are six triples and a pair. */
static void base64(const unsigned char bytes[DIGEST], char ret[WEBSOCKET_ACCEPT_SIZE]) {
    char *out = ret;
    for (int i = 0; i < DIGEST; i += 3) {
        uint32_t last = i + 2 < DIGEST ? bytes[i + 2] : 0;
        uint32_t n = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | last;
        for (int shift = 18; shift >= 0; shift -= 6) *out++ = alphabet[n >> shift & 63];
    }
    out[-1] = '=';
    *out = '\0';
}

/* 22 characters, of which the last one carries 2 bits only, and "==". */
static bool is_key(const char *key) {
    if (strlen(key) != KEY_LEN || strcmp(key + KEY_LEN - 2, "==") != 0) return false;
    if (strspn(key, alphabet) != KEY_LEN - 2) return false;
    return (strchr(alphabet, key[KEY_LEN - 3]) - alphabet) % 16 == 0;
}

bool websocket_accept_key(const char *key, char ret_accept[WEBSOCKET_ACCEPT_SIZE]) {
    char text[KEY_LEN + 40];
    unsigned char digest[DIGEST];
    if (!is_key(key)) return false;
    int len = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    sha1(text, (size_t)len, digest);
    base64(digest, ret_accept);
    return true;
}
