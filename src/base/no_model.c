/* SPDX-License-Identifier: MIT */
#include "base/no_model.h"

#include <stddef.h>

bool error_no_model(struct error *err, const char *param, const char *name, const char *close) {
    if (close != NULL && *close != '\0') {
        return error_set_param(err, ERR_MODEL_NOT_FOUND, param,
                               "There is no model '%.100s'; did you mean %s?", name, close);
    }
    return error_set_param(err, ERR_MODEL_NOT_FOUND, param,
                           "There is no model '%.100s'; GET /v1/models lists the models.",
                           name);
}

bool error_no_models(struct error *err) {
    return error_set_param(err, ERR_MODEL_NOT_FOUND, "model",
                           "There are no models yet; `doze get <owner/repo>` downloads one, "
                           "`doze import <file>` takes a GGUF file.");
}
