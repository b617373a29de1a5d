/* SPDX-License-Identifier: MIT */
#include "supervisor/calls.h"

#include <stdlib.h>

#include "base/xalloc.h"

enum { INDEX_BITS = 16 };
_Static_assert(CALLS_MAX < 1 << INDEX_BITS, "an index fits into the number's low bits");

/* number = (how often the place was used << INDEX_BITS) | index */
struct place {
    struct call *call;
    uint64_t uses;
    int next_free;
};

struct calls {
    struct place places[CALLS_MAX];
    int first_free; /* -1: none */
};

struct calls *calls_new(void) {
    struct calls *calls = xcalloc(1, sizeof *calls);
    for (int i = 0; i < CALLS_MAX; i++) calls->places[i].next_free = i + 1;
    calls->places[CALLS_MAX - 1].next_free = -1;
    return calls;
}

static void call_free(struct call *call) {
    service_request_clear(&call->request);
    free(call->options.identifier);
    free(call->model_key);
    buf_clear(&call->output);
    free(call);
}

void calls_free(struct calls *calls) {
    if (!calls) return;
    for (int i = 0; i < CALLS_MAX; i++) {
        if (calls->places[i].call) call_free(calls->places[i].call);
    }
    free(calls);
}

struct call *call_open(struct calls *calls) {
    int index = calls->first_free;
    if (index < 0) return NULL;
    struct place *place = &calls->places[index];
    calls->first_free = place->next_free;
    place->uses++;
    place->call = xcalloc(1, sizeof *place->call);
    place->call->id = place->uses << INDEX_BITS | (uint64_t)index;
    place->call->slot = LC_NO_SLOT;
    buf_init(&place->call->output, 1 << 20);
    return place->call;
}

struct call *call_find(struct calls *calls, call_id id) {
    uint64_t index = id & ((1 << INDEX_BITS) - 1);
    if (index >= CALLS_MAX) return NULL;
    struct call *call = calls->places[index].call;
    return call && call->id == id ? call : NULL;
}

bool calls_any(const struct calls *calls, bool (*fits)(const struct call *call, void *ctx),
               void *ctx) {
    for (int i = 0; i < CALLS_MAX; i++) {
        const struct call *call = calls->places[i].call;
        if (call && fits(call, ctx)) return true;
    }
    return false;
}

void calls_each(struct calls *calls, void (*fn)(struct call *call, void *ctx), void *ctx) {
    for (int i = 0; i < CALLS_MAX; i++) {
        if (calls->places[i].call) fn(calls->places[i].call, ctx);
    }
}

void call_close(struct calls *calls, struct call *call) {
    int index = (int)(call->id & ((1 << INDEX_BITS) - 1));
    calls->places[index].call = NULL;
    calls->places[index].next_free = calls->first_free;
    calls->first_free = index;
    call_free(call);
}
