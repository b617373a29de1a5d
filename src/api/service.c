/* SPDX-License-Identifier: MIT */
#include "api/service.h"

#include <stdlib.h>

#include "base/words.h"

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

void service_request_clear(struct service_request *request) {
    free(request->model);
    yyjson_mut_doc_free(request->body);
    *request = (struct service_request){ 0 };
}
