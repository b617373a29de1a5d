/* SPDX-License-Identifier: MIT */
/*
 * frame.h - the frames between the daemon and a worker: a pure codec, no sockets.
 *
 * A frame is a 16 byte header, little endian, and a payload of UTF-8 JSON (or raw floats where
 * message.h says so):
 *     u32 length of the payload | u16 type | u16 zero | u64 request (0: about the worker
 * itself) One socket belongs to one worker of one generation, so frames carry no generation.
 * The other side is not trusted: lengths are checked against a limit before anything is kept.
 */
#ifndef DOZE_IPC_FRAME_H
#define DOZE_IPC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum { FRAME_HEADER_SIZE = 16 };

/* Requests can carry a whole 64 MiB body; answers are small pieces or one embedding each. */
enum { FRAME_MAX_TO_WORKER = 80 << 20, FRAME_MAX_TO_DAEMON = 16 << 20 };

struct frame {
    uint16_t type; /* enum message_type, unchecked */
    uint64_t request;
    const char *payload; /* borrowed; NOT NUL-terminated */
    size_t len;
};

/* The header of a frame whose payload follows. len < 4 GiB. */
void frame_format_head(char ret[FRAME_HEADER_SIZE], uint16_t type, uint64_t request,
                       size_t len);

/* Append one whole frame; false if the buffer's maximum would be passed. len < 4 GiB. */
bool frame_format(struct buf *out, uint16_t type, uint64_t request, const void *payload,
                  size_t len);

enum frame_status { FRAME_NONE, FRAME_ONE, FRAME_BAD };

/* Look at the front of the bytes. FRAME_ONE fills *ret_frame (borrowing from bytes) and
 * *ret_used; FRAME_NONE: more bytes are needed; FRAME_BAD: longer than max_payload or a header
 * that cannot be, *err says which; the connection is lost. */
enum frame_status frame_parse(const char *bytes, size_t len, size_t max_payload,
                              struct frame *ret_frame, size_t *ret_used, struct error *err);

#endif
