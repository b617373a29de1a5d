/* SPDX-License-Identifier: MIT */
/* ws_fake_parts.h - what ws_fake.c (service, host, script) and ws_fake_events.c share. */
#ifndef DOZE_TESTS_WS_FAKE_PARTS_H
#define DOZE_TESTS_WS_FAKE_PARTS_H

#include "api/lmstudio_ws/session.h"
#include "ws_fake.h"

enum { CALLS_MAX = 64 };

struct fake_call {
    struct service_sink sink;
    struct load_sink load;
    struct done_sink unload;
    struct estimate_sink estimate;
    bool open;
};

struct fake {
    struct buf *out;
    struct service service;
    struct lmws_host host;
    size_t ops;
    struct lmws_session *session;
    struct fake_call calls[CALLS_MAX];
    call_id last; /* index + 1 */
    void (*log)(void *ctx, const struct log_line *line);
    void *log_ctx;
    struct lmws_hub hub;
    struct lmws_hub_sink asked; /* of the last question to the hub */
};

/* The second one is evicted for the first. */
extern const struct instance_view fake_instances[];

/* A line "! name json" of the script: json is NULL, and text "", if the line ends before. */
void fake_event(struct fake *f, const char *name, yyjson_val *json, const char *text);

#endif
