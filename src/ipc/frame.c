/* SPDX-License-Identifier: MIT */
#include "ipc/frame.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

void frame_format_head(char ret[FRAME_HEADER_SIZE], uint16_t type, uint64_t request,
                       size_t len) {
    assert(len <= UINT32_MAX);
    uint32_t le_len = htole32((uint32_t)len);
    uint16_t le_type = htole16(type);
    uint64_t le_request = htole64(request);
    memcpy(ret, &le_len, 4);
    memcpy(ret + 4, &le_type, 2);
    memset(ret + 6, 0, 2);
    memcpy(ret + 8, &le_request, 8);
}

bool frame_format(struct buf *out, uint16_t type, uint64_t request, const void *payload,
                  size_t len) {
    char *room = buf_reserve(out, FRAME_HEADER_SIZE + len);
    if (!room) return false;
    frame_format_head(room, type, request, len);
    if (len) memcpy(room + FRAME_HEADER_SIZE, payload, len);
    out->len += FRAME_HEADER_SIZE + len;
    return true;
}

enum frame_status frame_parse(const char *bytes, size_t len, size_t max_payload,
                              struct frame *ret_frame, size_t *ret_used, struct error *err) {
    if (len < FRAME_HEADER_SIZE) return FRAME_NONE;
    uint32_t payload_len;
    uint16_t type, zero;
    uint64_t request;
    memcpy(&payload_len, bytes, 4);
    memcpy(&type, bytes + 4, 2);
    memcpy(&zero, bytes + 6, 2);
    memcpy(&request, bytes + 8, 8);
    payload_len = le32toh(payload_len);
    if (payload_len > max_payload) {
        error_set(err, ERR_TOO_LARGE, "A frame of %u bytes is over the limit of %zu.",
                  payload_len, max_payload);
        return FRAME_BAD;
    }
    if (zero != 0) {
        error_set(err, ERR_INTERNAL, "A frame header is damaged.");
        return FRAME_BAD;
    }
    if (len - FRAME_HEADER_SIZE < payload_len) return FRAME_NONE;
    *ret_frame = (struct frame){ .type = le16toh(type),
                                 .request = le64toh(request),
                                 .payload = bytes + FRAME_HEADER_SIZE,
                                 .len = payload_len };
    *ret_used = FRAME_HEADER_SIZE + payload_len;
    return FRAME_ONE;
}
