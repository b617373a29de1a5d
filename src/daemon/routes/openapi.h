/* SPDX-License-Identifier: MIT */
/* openapi.h - the API's OpenAPI document, as the build embeds it: openapi.json. */
#ifndef DOZE_DAEMON_ROUTES_OPENAPI_H
#define DOZE_DAEMON_ROUTES_OPENAPI_H

#include <stddef.h>

extern const unsigned char openapi_json[];
extern const size_t openapi_json_len;

#endif
