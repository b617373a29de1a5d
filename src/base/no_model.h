/* SPDX-License-Identifier: MIT */
/* no_model.h - the errors of every dialect and command about a name that is not a model's. */
#ifndef DOZE_BASE_NO_MODEL_H
#define DOZE_BASE_NO_MODEL_H

#include "base/error.h"

/* Where models are listed, in a sentence that no API has said yet. */
#define MODELS_LISTED_BY "GET /v1/models"

/* *ret: the error in the words of an API that lists models by this: "GET /api/tags". The same
 * error where it does not say how they are listed. */
void error_list_by(const struct error *err, const char *listing, struct error *ret);

/* ERR_MODEL_NOT_FOUND. param: the field with the name. close: names like it, as they are to be
 * shown; NULL or "": none is. Returns false. */
bool error_no_model(struct error *err, const char *param, const char *name, const char *close);

/* The same where there is no model at all. param: "model". */
bool error_no_models(struct error *err);

#endif
