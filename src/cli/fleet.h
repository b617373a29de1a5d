/* SPDX-License-Identifier: MIT */
/* fleet.h - where in the fleet a request would go, as lines. */
#ifndef DOZE_CLI_FLEET_H
#define DOZE_CLI_FLEET_H

#include <yyjson.h>

/* Print "fleet" of GET /api/v1/explain, or "request" of GET /api/v1/fleet: the sentence, and
 * one line for each node if several have the model. before: what the first line begins with. */
void fleet_print_request(yyjson_val *request, const char *before);

#endif
