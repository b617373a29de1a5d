/* SPDX-License-Identifier: MIT */
/* no_model.h - what is said about a name that means no model, by every dialect and command. */
#ifndef DOZE_BASE_NO_MODEL_H
#define DOZE_BASE_NO_MODEL_H

#include "base/error.h"

/* ERR_MODEL_NOT_FOUND. param: the field with the name. close: names like it, as they are to be
 * shown; NULL or "": none is. Returns false. */
bool error_no_model(struct error *err, const char *param, const char *name, const char *close);

/* The same where there is no model at all. */
bool error_no_models(struct error *err, const char *param);

#endif
