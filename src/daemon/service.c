/* SPDX-License-Identifier: MIT */
#include "daemon/service.h"

static call_id generate(void *self, struct service_request *request, struct service_sink sink) {
    return supervisor_generate(self, request, sink);
}

static void cancel(void *self, call_id call) {
    supervisor_cancel(self, call);
}

static void set_paused(void *self, call_id call, bool paused) {
    supervisor_pause(self, call, paused);
}

static void wait_of(void *self, call_id call, struct service_wait *ret) {
    supervisor_wait(self, call, ret);
}

static struct service_models models(void *self) {
    return supervisor_models(self);
}

static call_id load(void *self, const struct load_request *request, struct load_sink sink) {
    return supervisor_load(self, request, sink);
}

static call_id get_or_load(void *self, const struct load_request *request,
                           struct load_sink sink) {
    return supervisor_get_or_load(self, request, sink);
}

static call_id estimate(void *self, const struct load_request *request,
                        struct estimate_sink sink) {
    return supervisor_estimate(self, request, sink);
}

static call_id prefetch(void *self, const char *model, struct prefetch_sink sink) {
    return supervisor_prefetch(self, model, sink);
}

static void forget_prompts(void *self, const char *model_key) {
    supervisor_forget_prompts(self, model_key);
}

static call_id unload(void *self, const char *identifier, struct done_sink sink) {
    return supervisor_unload(self, identifier, sink);
}

static bool find_model(void *self, const char *name, struct model_view *ret_model) {
    return supervisor_find_model(self, name, ret_model);
}

static bool find_instance(void *self, uint64_t reference, struct model_view *ret_model,
                          struct instance_view *ret_instance) {
    return supervisor_find_reference(self, reference, ret_model, ret_instance);
}

static call_id update(void *self, const char *identifier, const struct instance_change *change,
                      struct done_sink sink) {
    return supervisor_update(self, identifier, change, sink);
}

struct service service_of(struct supervisor *sup) {
    return (struct service){
        .self = sup,
        .generate = generate,
        .cancel = cancel,
        .pause = set_paused,
        .wait = wait_of,
        .models = models,
        .load = load,
        .get_or_load = get_or_load,
        .estimate = estimate,
        .prefetch = prefetch,
        .forget_prompts = forget_prompts,
        .unload = unload,
        .find_model = find_model,
        .find_instance = find_instance,
        .update = update,
    };
}
