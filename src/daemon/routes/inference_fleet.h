/* SPDX-License-Identifier: MIT */
/* inference_fleet.h - which node of the fleet answers a request: this one, or another. */
#ifndef DOZE_DAEMON_ROUTES_INFERENCE_FLEET_H
#define DOZE_DAEMON_ROUTES_INFERENCE_FLEET_H

#include "daemon/routes/parsing.h"

/* Did another node forward it? */
bool parsing_is_forwarded(const struct parsing *p);
/* Have the request answered by the node that will be soonest. Takes it. */
void parsing_place(struct parsing *p);

#endif
