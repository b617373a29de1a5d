/* SPDX-License-Identifier: MIT */
/* template.h - prompt templates as the clients write them: Jinja, or texts around messages. */
#ifndef DOZE_API_LMSTUDIO_WS_TEMPLATE_H
#define DOZE_API_LMSTUDIO_WS_TEMPLATE_H

#include <yyjson.h>

#include "base/buf.h"

/* The text of a template in Jinja; NULL if it is not in Jinja. */
const char *lmws_template_jinja(yyjson_val *value);
/* Append the template as Jinja; texts around messages are translated to it. False if it is
 * neither. Overflows the buffer if it is too long. */
bool lmws_template_write(yyjson_val *value, struct buf *out);

#endif
