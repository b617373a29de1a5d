/* SPDX-License-Identifier: MIT */
#include "api/service.h"

#include <stdlib.h>
#include <string.h>

#include "base/words.h"
#include "base/xalloc.h"

static const char *const instance_states[] = {
    [INSTANCE_LOADING] = "loading",     [INSTANCE_IDLE] = "idle",
    [INSTANCE_BUSY] = "busy",           [INSTANCE_DRAINING] = "draining",
    [INSTANCE_UNLOADING] = "unloading", [INSTANCE_QUEUED] = "queued",
};

const char *instance_state_name(enum instance_state state) {
    return instance_states[state];
}

static const char *const origins[] = {
    [ORIGIN_JIT] = "jit",
    [ORIGIN_EXPLICIT] = "explicit",
};

const char *instance_origin_name(enum instance_origin origin) {
    return origins[origin];
}

bool instance_origin_parse(const char *name, enum instance_origin *ret_origin) {
    int found = WORDS_FIND(origins, name);
    if (found >= 0) *ret_origin = (enum instance_origin)found;
    return found >= 0;
}

struct allowed_models allowed_models_copy(const struct allowed_models *allowed) {
    struct allowed_models copy = { .count = allowed->count };
    if (copy.count == 0) return copy;
    copy.keys = xcalloc(copy.count, sizeof *copy.keys);
    for (size_t i = 0; i < copy.count; i++) copy.keys[i] = xstrdup(allowed->keys[i]);
    return copy;
}

void allowed_models_clear(struct allowed_models *allowed) {
    for (size_t i = 0; i < allowed->count; i++) free(allowed->keys[i]);
    free(allowed->keys);
    *allowed = (struct allowed_models){ 0 };
}

bool allowed_models_require(const struct allowed_models *allowed, const char *model_key,
                            struct error *err) {
    if (allowed->count == 0) return true;
    for (size_t i = 0; i < allowed->count; i++) {
        if (strcmp(allowed->keys[i], model_key) == 0) return true;
    }
    return error_set_param(err, ERR_FORBIDDEN, "model",
                           "This API key is not for the model '%.80s'; name one that it is "
                           "for, such as '%.80s'.",
                           model_key, allowed->keys[0]);
}

void service_request_clear(struct service_request *request) {
    free(request->model);
    free(request->draft_model);
    allowed_models_clear(&request->allowed);
    yyjson_mut_doc_free(request->body);
    sealed_body_clear(&request->sealed);
    byte_hold_release(&request->held);
    *request = (struct service_request){ 0 };
}

void service_request_seal(struct service_request *request) {
    if (!request->body) return;
    request->sealed = sealed_body_make(request->body);
    yyjson_mut_doc_free(request->body);
    request->body = NULL;
}

bool service_request_fits(const struct service_request *request, struct error *err) {
    const struct sealed_body *body = &request->sealed;
    return (body->text && body->len <= SERVICE_BODY_MAX) ||
           error_set(err, ERR_TOO_LARGE,
                     "The request is too large for a worker; send a smaller one.");
}
