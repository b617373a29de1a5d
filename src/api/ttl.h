/* SPDX-License-Identifier: MIT */
/* ttl.h - the idle ttl of a request, as the bodies of all REST dialects give it. Pure. */
#ifndef DOZE_API_TTL_H
#define DOZE_API_TTL_H

#include "api/service.h"

/* `ttl` of a body (seconds; null or -1: never), else `keep_alive` (seconds or "5m"; negative:
 * never), else not given. ERR_INVALID_REQUEST for other values and above ten years. */
bool api_read_ttl(yyjson_val *body, struct ttl *ret_ttl, struct error *err);

#endif
