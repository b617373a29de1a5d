/* SPDX-License-Identifier: MIT */
/* inference_fleet.h - which node of the fleet answers a request: this one, or another. */
#ifndef DOZE_DAEMON_ROUTES_INFERENCE_FLEET_H
#define DOZE_DAEMON_ROUTES_INFERENCE_FLEET_H

#include "daemon/routes/parsing.h"

/* Does another node send it? */
bool parsing_is_forwarded(const struct parsing *p);
/* Have it answered where that is soonest. Takes it. */
void parsing_place(struct parsing *p);

#endif
