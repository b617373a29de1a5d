/* SPDX-License-Identifier: MIT */
#include "fleet/sealed.h"

#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { HEAD = 4, TAG = CHACHA_POLY1305_DIGEST_SIZE };

/* With its end: no two lists of texts are the same bytes. */
static void add_text(struct hmac_sha256_ctx *hmac, const char *text) {
    hmac_sha256_update(hmac, strlen(text) + 1, (const uint8_t *)text);
}

void sealed_init(struct sealed_lane *lane, const struct sealed_terms *terms) {
    struct hmac_sha256_ctx hmac;
    uint8_t key[SHA256_DIGEST_SIZE];
    _Static_assert(sizeof key == CHACHA_POLY1305_KEY_SIZE, "a key");
    hmac_sha256_set_key(&hmac, strlen(terms->secret), (const uint8_t *)terms->secret);
    add_text(&hmac, "doze sealed");
    add_text(&hmac, terms->lane);
    add_text(&hmac, terms->borrower);
    add_text(&hmac, terms->lender);
    add_text(&hmac, terms->borrower_number);
    add_text(&hmac, terms->lender_number);
    hmac_sha256_digest(&hmac, sizeof key, key);
    *lane = (struct sealed_lane){ 0 };
    chacha_poly1305_set_key(&lane->cipher, key);
    buf_init(&lane->in, SEALED_PIECE + SEALED_OVERHEAD);
}

void sealed_clear(struct sealed_lane *lane) {
    buf_clear(&lane->in);
}

/* Its number is the nonce of the piece; its length is proved anyway (RFC 8439, 2.8). */
static void begin_piece(struct sealed_lane *lane) {
    uint8_t nonce[CHACHA_POLY1305_NONCE_SIZE] = { 0 };
    uint64_t number = lane->next++;
    for (int i = 0; i < 8; i++) nonce[4 + i] = (uint8_t)(number >> (8 * i));
    chacha_poly1305_set_nonce(&lane->cipher, nonce);
}

static bool write_piece(struct sealed_lane *lane, const uint8_t *bytes, size_t len,
                        struct buf *out) {
    uint8_t *at = (uint8_t *)buf_reserve(out, len + SEALED_OVERHEAD);
    if (!at) return false;
    for (int i = 0; i < HEAD; i++) at[i] = (uint8_t)(len >> (8 * i));
    begin_piece(lane);
    chacha_poly1305_encrypt(&lane->cipher, len, at + HEAD, bytes);
    chacha_poly1305_digest(&lane->cipher, TAG, at + HEAD + len);
    out->len += len + SEALED_OVERHEAD;
    return true;
}

bool sealed_write(struct sealed_lane *lane, const void *bytes, size_t len, struct buf *out) {
    const uint8_t *at = bytes;
    while (len > 0) {
        size_t piece = len < SEALED_PIECE ? len : SEALED_PIECE;
        if (!write_piece(lane, at, piece, out)) return false;
        at += piece;
        len -= piece;
    }
    return true;
}

static size_t length_of(const struct buf *in) {
    const uint8_t *at = (const uint8_t *)in->data;
    return at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
}

/* The piece that is complete. */
static bool open_piece(struct sealed_lane *lane, size_t len, struct buf *out) {
    uint8_t tag[TAG];
    const uint8_t *piece = (const uint8_t *)lane->in.data;
    uint8_t *plain = (uint8_t *)buf_reserve(out, len);
    if (!plain) return false;
    begin_piece(lane);
    chacha_poly1305_decrypt(&lane->cipher, len, plain, piece + HEAD);
    chacha_poly1305_digest(&lane->cipher, TAG, tag);
    if (!memeql_sec(tag, piece + HEAD + len, TAG)) return false;
    out->len += len;
    lane->in.len = 0;
    return true;
}

/* How many bytes the piece lacks that is being read; *ret_len: of what it holds. */
static size_t lacks(const struct sealed_lane *lane, size_t *ret_len) {
    *ret_len = 0;
    if (lane->in.len < HEAD) return HEAD - lane->in.len;
    *ret_len = length_of(&lane->in);
    return *ret_len + SEALED_OVERHEAD - lane->in.len;
}

static bool read_some(struct sealed_lane *lane, const char **at, size_t *left,
                      struct buf *out) {
    size_t len, lacking = lacks(lane, &len), some = lacking < *left ? lacking : *left;
    if (len > SEALED_PIECE || !buf_add(&lane->in, *at, some)) return false;
    *at += some;
    *left -= some;
    if (lane->in.len < HEAD || lacks(lane, &len) > 0) return true;
    return open_piece(lane, len, out);
}

bool sealed_read(struct sealed_lane *lane, const void *bytes, size_t len, struct buf *out) {
    const char *at = bytes;
    while (len > 0 && !lane->broken) lane->broken = !read_some(lane, &at, &len, out);
    return !lane->broken;
}

void sealed_draw(char ret[SEALED_NUMBER_SIZE]) {
    uint8_t bytes[(SEALED_NUMBER_SIZE - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort(); /* it never fails */
    for (size_t i = 0; i < sizeof bytes; i++) (void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

bool sealed_is_number(const char *text) {
    return strlen(text) == SEALED_NUMBER_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == SEALED_NUMBER_SIZE - 1;
}
