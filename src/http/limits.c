/* SPDX-License-Identifier: MIT */
#include "http/limits.h"

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)

const struct http_limits http_limits_default = {
    .request_line = KIB(8),
    .header_bytes = KIB(64),
    .header_fields = 128,
    .chunk_extensions = 256,
    .trailer_bytes = KIB(8),
    .ignored_body = MIB(1),
    .bodies_total = MIB(512),
    .pipelined = KIB(64),
    .queue_pause = KIB(256),
    .queue_max = MIB(1),
    .queues_total = MIB(256),
    .headers = 10 * 1000,
    .body = 30 * 1000,
    .body_rate = KIB(64),
    .keep_alive = 75 * 1000,
    .write_stall = 60 * 1000,
    .linger = 2 * 1000,
    .accept_pause = 100,
};
