/* SPDX-License-Identifier: MIT */
/* body.h - options as fields of a request's body (the root object of the document). */
#ifndef DOZE_CLI_BODY_H
#define DOZE_CLI_BODY_H

#include <yyjson.h>

#include "cli/options.h"

/* Add the field if the option was given. */
void body_add_int(yyjson_mut_doc *doc, const char *name, const struct option_int *option);

/* The field "ttl": seconds, or -1 for none. */
void body_add_ttl(yyjson_mut_doc *doc, const struct option_ttl *ttl);

#endif
