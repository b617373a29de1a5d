/* SPDX-License-Identifier: MIT */
/* ws.h - LM Studio's WebSocket in the daemon: what its sessions know of it, and its sockets. */
#ifndef DOZE_DAEMON_WS_H
#define DOZE_DAEMON_WS_H

#include "api/lmstudio_ws/session.h"
#include "daemon/daemon.h"

struct ws_host;

/* Borrows d for its life. */
struct ws_host *ws_host_new(struct daemon *d);
void ws_host_free(struct ws_host *host);
const struct lmws_host *ws_host_face(struct ws_host *host);

#endif
