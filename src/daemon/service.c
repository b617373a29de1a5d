/* SPDX-License-Identifier: MIT */
/* service.c - struct service on the supervisor. */
#include "api/service.h"

#include "daemon/daemon.h"

static call_id generate(void *self, struct service_request *request, struct service_sink sink) {
    struct daemon *d = self;
    return supervisor_generate(d->supervisor, request, sink);
}

static void cancel(void *self, call_id call) {
    struct daemon *d = self;
    supervisor_cancel(d->supervisor, call);
}

static void set_paused(void *self, call_id call, bool paused) {
    struct daemon *d = self;
    supervisor_pause(d->supervisor, call, paused);
}

static struct service_models models(void *self) {
    struct daemon *d = self;
    return supervisor_models(d->supervisor);
}

static call_id load(void *self, const struct load_request *request, struct load_sink sink) {
    struct daemon *d = self;
    return supervisor_load(d->supervisor, request, sink);
}

static call_id get_or_load(void *self, const struct load_request *request,
                           struct load_sink sink) {
    struct daemon *d = self;
    return supervisor_get_or_load(d->supervisor, request, sink);
}

static call_id estimate(void *self, const struct load_request *request,
                        struct estimate_sink sink) {
    struct daemon *d = self;
    return supervisor_estimate(d->supervisor, request, sink);
}

static call_id unload(void *self, const char *identifier, struct load_sink sink) {
    struct daemon *d = self;
    return supervisor_unload(d->supervisor, identifier, sink);
}

static bool find_model(void *self, const char *name, struct model_view *ret_model) {
    struct daemon *d = self;
    return supervisor_find_model(d->supervisor, name, ret_model);
}

static bool find_instance(void *self, uint64_t reference, struct model_view *ret_model,
                          struct instance_view *ret_instance) {
    struct daemon *d = self;
    return supervisor_find_reference(d->supervisor, reference, ret_model, ret_instance);
}

static bool update(void *self, const char *identifier, const struct instance_change *change,
                   struct error *err) {
    struct daemon *d = self;
    return supervisor_update(d->supervisor, identifier, change, err);
}

void daemon_fill_service(struct daemon *d) {
    d->service = (struct service){
        .self = d,
        .generate = generate,
        .cancel = cancel,
        .pause = set_paused,
        .models = models,
        .load = load,
        .get_or_load = get_or_load,
        .estimate = estimate,
        .unload = unload,
        .find_model = find_model,
        .find_instance = find_instance,
        .update = update,
    };
}
