/* SPDX-License-Identifier: MIT */
#include "http/limits.h"

#define KIB(n) ((size_t)(n) << 10)
#define MIB(n) ((size_t)(n) << 20)
#define SECONDS(n) ((msec)(n)*1000)

const struct http_limits http_limits_default = {
    .request_line = KIB(8),
    .header_bytes = KIB(64),
    .header_fields = 128,
    .chunk_extensions = 256,
    .trailer_bytes = KIB(8),
    .ignored_body = MIB(1),
    .inflated_free = MIB(1),
    .inflated_times = 64,
    .bodies_total = MIB(64),
    .bodies_reserve = MIB(32),
    .small_body = KIB(256),
    .pipelined = KIB(64),
    .queue_pause = KIB(256),
    .queue_max = MIB(1),
    .queues_total = MIB(256),
    .handshake = SECONDS(10),
    .headers = SECONDS(10),
    .body = SECONDS(30),
    .body_rate = KIB(64),
    .body_slack = SECONDS(2),
    .keep_alive = SECONDS(75),
    .write_stall = SECONDS(60),
    .linger = SECONDS(2),
    .ping = SECONDS(30),
    .accept_pause = 100,
};

struct byte_budget http_limits_budget(const struct http_limits *limits) {
    return (struct byte_budget){ .total = limits->bodies_total,
                                 .reserve = limits->bodies_reserve,
                                 .small = limits->small_body };
}
