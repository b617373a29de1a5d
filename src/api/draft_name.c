/* SPDX-License-Identifier: MIT */
#include "api/draft_name.h"

#include <string.h>

#include "base/json.h"
#include "base/xalloc.h"
#include "load/load_settings.h"

bool api_read_draft_name(yyjson_val *body, char **ret_name, struct error *err) {
    const char *name = "";
    if (!json_read_str(body, "draft_model", &name, err)) return false;
    if (strlen(name) >= LOAD_NAME_SIZE) {
        return error_set_param(err, ERR_INVALID_REQUEST, "draft_model",
                               "'draft_model' has more than %d characters.",
                               LOAD_NAME_SIZE - 1);
    }
    *ret_name = *name ? xstrdup(name) : NULL;
    return true;
}
