/* SPDX-License-Identifier: MIT */
/* no_model.h - the errors of every dialect and command about a name that is not a model's. */
#ifndef DOZE_BASE_NO_MODEL_H
#define DOZE_BASE_NO_MODEL_H

#include "base/error.h"

/* ERR_MODEL_NOT_FOUND. param: the field with the name. close: names like it, as they are to be
 * shown; NULL or "": none is. Returns false. */
bool error_no_model(struct error *err, const char *param, const char *name, const char *close);

/* The same where there is no model at all. param: "model". */
bool error_no_models(struct error *err);

#endif
