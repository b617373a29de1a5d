/* SPDX-License-Identifier: MIT */
/*
 * sealed.h - bytes from one node to another that nobody between them can read, change, repeat
 * or leave out: pieces under ChaCha20-Poly1305 (RFC 8439), numbered from 0.
 *
 * The key of a lane is made of the fleet key, of what both sides are and want, and of a number
 * that each of them drew for this connection, so that no lane has the key of another. Who gets
 * to know the fleet key can read what was recorded before.
 *
 * Pure. A piece is its length (4 bytes, little-endian), the bytes, and 16 bytes of proof.
 */
#ifndef DOZE_FLEET_SEALED_H
#define DOZE_FLEET_SEALED_H

#include <nettle/chacha-poly1305.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    SEALED_PIECE = 64 * 1024, /* bytes that it holds, at most */
    SEALED_OVERHEAD = 4 + CHACHA_POLY1305_DIGEST_SIZE,
    SEALED_NUMBER_SIZE = 33, /* 128 bits in hex */
};

struct sealed_terms {
    const char *secret; /* the fleet key */
    const char *lane;   /* "up", "down" */
    const char *borrower, *lender;
    const char *borrower_number, *lender_number;
};

/* One direction; where it is read from, or where it is written. */
struct sealed_lane {
    struct chacha_poly1305_ctx cipher;
    uint64_t next; /* piece */
    struct buf in; /* a piece that is not complete */
    bool broken;
};

void sealed_init(struct sealed_lane *lane, const struct sealed_terms *terms);
void sealed_clear(struct sealed_lane *lane);

/* Append the bytes as pieces. False: `out` has no room. */
bool sealed_write(struct sealed_lane *lane, const void *bytes, size_t len, struct buf *out)
    __attribute__((warn_unused_result));

/* Read what came, cut anywhere, and append what is complete. False, now and from then on: it is
 * not what the other side has written. */
bool sealed_read(struct sealed_lane *lane, const void *bytes, size_t len, struct buf *out)
    __attribute__((warn_unused_result));

/* Draw a number. */
void sealed_draw(char ret[SEALED_NUMBER_SIZE]);
bool sealed_is_number(const char *text);

#endif
