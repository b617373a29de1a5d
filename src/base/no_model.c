/* SPDX-License-Identifier: MIT */
#include "base/no_model.h"

#include <string.h>

void error_list_by(const struct error *err, const char *listing, struct error *ret) {
    const char *mark = strstr(err->text, MODELS_LISTED_BY);
    struct error own = *err;
    if (mark) {
        error_set_param(&own, err->code, err->param, "%.*s%s%s", (int)(mark - err->text),
                        err->text, listing, mark + strlen(MODELS_LISTED_BY));
        own.retry_after = err->retry_after;
    }
    *ret = own;
}

bool error_no_model(struct error *err, const char *param, const char *name, const char *close) {
    if (close != NULL && *close != '\0') {
        return error_set_param(err, ERR_MODEL_NOT_FOUND, param,
                               "There is no model '%.100s'; did you mean %s?", name, close);
    }
    return error_set_param(err, ERR_MODEL_NOT_FOUND, param,
                           "There is no model '%.100s'; " MODELS_LISTED_BY " lists the models.",
                           name);
}

bool error_no_models(struct error *err) {
    return error_set_param(err, ERR_MODEL_NOT_FOUND, "model",
                           "There are no models yet; `doze get <owner/repo>` downloads one, "
                           "`doze import <file>` takes a GGUF file.");
}
