/* SPDX-License-Identifier: MIT */
/* ws_host.h - the daemon as the sessions of LM Studio's WebSocket see it. */
#ifndef DOZE_DAEMON_WS_HOST_H
#define DOZE_DAEMON_WS_HOST_H

#include "api/lmstudio_ws/session.h"
#include "daemon/feed.h"
#include "daemon/gate.h"
#include "daemon/listeners.h"
#include "daemon/lmstudio_home.h"
#include "daemon/settings_store.h"

struct offload;
struct ws_host;

/* Borrowed for the host's life. */
struct ws_host_config {
    const struct service *service;
    struct settings_store *settings;
    struct gate *gate;
    struct listeners *listeners;
    struct lmstudio_home *lmstudio_home;
    struct feed *log;
    const struct lmws_hub *hub;
    struct byte_budget *budget, *answers; /* as in lmws_host */
    struct offload *offload;
    uint64_t boot; /* identifies this run of the daemon */
    /* A client asks the daemon to stop; is it stopping? */
    void (*stop)(void *ctx);
    bool (*is_stopping)(void *ctx);
    bool (*elsewhere)(void *ctx, const char *name, struct error *err); /* lmws_host.elsewhere */
    void *ctx;
};

struct ws_host *ws_host_new(const struct ws_host_config *config);
/* Accepts NULL. */
void ws_host_free(struct ws_host *host);
const struct lmws_host *ws_host_face(const struct ws_host *host);

#endif
