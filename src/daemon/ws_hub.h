/* SPDX-License-Identifier: MIT */
/* ws_hub.h - the daemon's downloads as LM Studio's WebSocket dialect sees them. */
#ifndef DOZE_DAEMON_WS_HUB_H
#define DOZE_DAEMON_WS_HUB_H

#include "api/lmstudio_ws/session.h"
#include "daemon/feed.h"
#include "hub/downloads.h"

/* Borrows all of it for its life. Free it after the downloads, which may still call it. */
struct lmws_hub *ws_hub_new(struct downloads *downloads, struct feed *events,
                            const struct service *service);
/* Accepts NULL. */
void ws_hub_free(struct lmws_hub *hub);

#endif
