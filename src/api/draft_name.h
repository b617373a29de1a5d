/* SPDX-License-Identifier: MIT */
/* draft_name.h - the draft model that a request asks for, should it load its model. Pure. */
#ifndef DOZE_API_DRAFT_NAME_H
#define DOZE_API_DRAFT_NAME_H

#include <yyjson.h>

#include "base/error.h"

/* `draft_model` of a body, in *ret_name: owned, NULL for none, which some clients write "".
 * ERR_INVALID_REQUEST if it cannot be a name. */
bool api_read_draft_name(yyjson_val *body, char **ret_name, struct error *err);

#endif
