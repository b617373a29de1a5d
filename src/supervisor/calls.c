/* SPDX-License-Identifier: MIT */
#include "supervisor/calls.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"

/* number = (how often the place was used << INDEX_BITS) | index */
enum { INDEX_BITS = 24, NO_PLACE = -1 };

struct place {
    struct call *call;
    uint64_t uses;
    int next_free;
};

struct calls {
    struct metrics *metrics;
    struct place *places;
    int count;      /* places */
    int first_free; /* NO_PLACE: none */
    int open;
};

struct calls *calls_new(struct metrics *metrics) {
    struct calls *calls = xcalloc(1, sizeof *calls);
    calls->metrics = metrics;
    calls->first_free = NO_PLACE;
    return calls;
}

static void options_clear(struct load_options *options) {
    free(options->model);
    free(options->identifier);
    allowed_models_clear(&options->allowed);
}

static void call_free(struct call *call) {
    switch (call->kind) {
    case CALL_REQUEST:
        service_request_clear(&call->request.asked);
        buf_clear(&call->request.output);
        buf_clear(&call->request.rules);
        break;
    case CALL_LOAD:
    case CALL_GET_OR_LOAD:
        options_clear(&call->load.options);
        break;
    case CALL_ESTIMATE:
        options_clear(&call->estimate.options);
        break;
    case CALL_PREFETCH:
        free(call->prefetch.model);
        break;
    case CALL_UNLOAD:
        free(call->unload.identifier);
        break;
    case CALL_UPDATE:
        free(call->update.identifier);
        break;
    }
    free(call->model_key);
    free(call);
}

void calls_free(struct calls *calls) {
    if (!calls) return;
    for (int i = 0; i < calls->count; i++) {
        if (calls->places[i].call) call_free(calls->places[i].call);
    }
    free(calls->places);
    free(calls);
}

/* The table doubles, up to as many places as the index can number. */
static void add_places(struct calls *calls) {
    int count = calls->count > 0 ? 2 * calls->count : 64;
    assert(count <= 1 << INDEX_BITS);
    calls->places = xrealloc(calls->places, (size_t)count * sizeof *calls->places);
    for (int i = calls->count; i < count; i++) {
        calls->places[i] = (struct place){ .next_free = i + 1 < count ? i + 1 : NO_PLACE };
    }
    calls->first_free = calls->count;
    calls->count = count;
}

struct call *call_open(struct calls *calls, enum call_kind kind) {
    if (calls->first_free == NO_PLACE) add_places(calls);
    int index = calls->first_free;
    struct place *place = &calls->places[index];
    struct call *call = xcalloc(1, sizeof *call);
    calls->first_free = place->next_free;
    place->uses++;
    place->call = call;
    call->id = place->uses << INDEX_BITS | (uint64_t)index;
    call->kind = kind;
    if (kind == CALL_REQUEST) {
        call->request.slot = LC_NO_SLOT;
        buf_init(&call->request.output, 1 << 20);
    }
    if (calls->open++ >= CALLS_MAX) {
        error_set(&call->refusal, ERR_QUEUE_FULL,
                  "The server works on %d requests already; try again later.", CALLS_MAX);
        call->refusal.retry_after = 5;
    }
    return call;
}

struct call *call_find(struct calls *calls, call_id id) {
    uint64_t index = id & ((1 << INDEX_BITS) - 1);
    if (index >= (uint64_t)calls->count) return NULL;
    struct call *call = calls->places[index].call;
    return call && call->id == id ? call : NULL;
}

bool calls_any(const struct calls *calls, bool (*matches)(const struct call *call, void *ctx),
               void *ctx) {
    for (int i = 0; i < calls->count; i++) {
        const struct call *call = calls->places[i].call;
        if (call && matches(call, ctx)) return true;
    }
    return false;
}

void calls_each(struct calls *calls, void (*fn)(struct call *call, void *ctx), void *ctx) {
    for (int i = 0; i < calls->count; i++) {
        if (calls->places[i].call) fn(calls->places[i].call, ctx);
    }
}

/* Free its place and give the call to the caller. */
static void remove_call(struct calls *calls, const struct call *call) {
    int index = (int)(call->id & ((1 << INDEX_BITS) - 1));
    calls->places[index].call = NULL;
    calls->places[index].next_free = calls->first_free;
    calls->first_free = index;
    calls->open--;
}

void call_close(struct calls *calls, struct call *call) {
    remove_call(calls, call);
    call_free(call);
}

static void tell_error(const struct call *call, const struct error *err) {
    struct service_event ev = { .kind = SERVICE_ERROR,
                                .error = err,
                                .stop_reason = err->code == ERR_MODEL_UNLOADED ? STOP_UNLOADED
                                                                               : STOP_FAILED };
    switch (call->kind) {
    case CALL_REQUEST:
        call->request.sink.on_event(call->request.sink.ctx, call->id, &ev);
        break;
    case CALL_LOAD:
    case CALL_GET_OR_LOAD:
        call->load.sink.on_end(call->load.sink.ctx, call->id, NULL, err);
        break;
    case CALL_ESTIMATE:
        call->estimate.sink.on_end(call->estimate.sink.ctx, NULL, err);
        break;
    case CALL_PREFETCH:
        call->prefetch.sink.on_end(call->prefetch.sink.ctx, NULL, err);
        break;
    case CALL_UNLOAD:
        call->unload.sink.on_end(call->unload.sink.ctx, err);
        break;
    case CALL_UPDATE:
        call->update.sink.on_end(call->update.sink.ctx, err);
        break;
    }
}

void call_fail(struct calls *calls, struct call *call, const struct error *err) {
    calls->metrics->request_errors[err->code]++;
    remove_call(calls, call); /* first: the sink may ask for more */
    tell_error(call, err);
    call_free(call);
}

void call_done(struct calls *calls, struct call *call) {
    assert(call->kind == CALL_UNLOAD || call->kind == CALL_UPDATE);
    call->ended = true;
    if (call->saving) return;
    struct done_sink sink = call->kind == CALL_UNLOAD ? call->unload.sink : call->update.sink;
    call_close(calls, call);
    sink.on_end(sink.ctx, NULL);
}

const struct load_sink *call_load_sink(const struct call *call) {
    bool loads = call->kind == CALL_LOAD || call->kind == CALL_GET_OR_LOAD;
    return loads ? &call->load.sink : NULL;
}

enum lc_kind call_lc_kind(const struct call *call) {
    if (call->kind == CALL_LOAD) return LC_KIND_LOAD;
    if (call->kind == CALL_GET_OR_LOAD) return LC_KIND_GET_OR_LOAD;
    assert(call->kind == CALL_REQUEST);
    enum service_op op = call->request.asked.op;
    return op == OP_TOKENIZE || op == OP_TEMPLATE ? LC_KIND_LIGHT : LC_KIND_INFER;
}

struct load_settings call_requested(const struct call *call) {
    struct load_settings requested = LOAD_SETTINGS_UNSET;
    if (call->kind == CALL_GET_OR_LOAD) return call->load.options.requested;
    if (call->kind != CALL_REQUEST) return requested;
    const struct service_request *asked = &call->request.asked;
    requested.context_length = asked->context_length;
    if (asked->draft_model)
        (void)load_field_set_name(load_field_find("draft_model"), &requested,
                                  asked->draft_model);
    return requested;
}

bool call_asks_for_settings(const struct call *call) {
    const struct service_request *asked = &call->request.asked;
    return call->kind == CALL_GET_OR_LOAD || asked->context_length != 0 || asked->draft_model;
}
