/* SPDX-License-Identifier: MIT */
/* prefetch_call.c - models that clients expect to need soon: their files are read into the page
 * cache, one model at a time in the order of the calls, while no load waits or runs. Takes no
 * place, no share of the memory budget, and evicts nothing. */
#include <stdlib.h>

#include "base/size.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

call_id supervisor_prefetch(struct supervisor *sup, const char *model,
                            struct prefetch_sink sink) {
    struct call *call = call_open(sup->calls, CALL_PREFETCH);
    call->prefetch.model = xstrdup(model);
    call->prefetch.sink = sink;
    call->prefetch.turn = ++sup->prefetch_turns;
    supervisor_post_call(sup, call);
    return call->id;
}

static void prefetch_call_end(struct supervisor *sup, struct call *call, bool loaded) {
    const struct model *model = catalog_find(*sup->config.catalog, call->model_key);
    char *key = call->model_key;
    struct prefetch_result result = { key, model ? model->size : 0, loaded };
    struct prefetch_sink sink = call->prefetch.sink;
    call->model_key = NULL;
    call_close(sup->calls, call); /* first: the sink may ask for more */
    sink.on_end(sink.ctx, &result, NULL);
    free(key);
}

static bool prefetch_fits(const struct supervisor *sup, const struct model *model,
                          struct error *err) {
    char size[SIZE_TEXT];
    if (supervisor_fits_beside(sup, model->size)) return true;
    size_format(model->size, size);
    return error_set(
        err, ERR_NO_MEMORY,
        "'%.80s' (%s) does not fit into the free memory besides the models that are "
        "loaded; unload one first.",
        model->key, size);
}

bool supervisor_begin_prefetch(struct supervisor *sup, struct call *call, struct error *err) {
    struct target target;
    struct load_settings effective;
    struct lc_plan plan;
    if (!supervisor_resolve_model(sup, call->prefetch.model, &target, err)) return false;
    if (supervisor_reads_adapters(sup, call, target.model, NULL)) return true;
    if (!supervisor_plan(sup, target.model, NULL, &effective, &plan, err)) return false;
    call->model_key = xstrdup(target.model_key);
    if (supervisor_is_up(sup, target.model_key)) {
        prefetch_call_end(sup, call, true);
        return true;
    }
    if (!prefetch_fits(sup, target.model, err)) return false;
    if (sup->config.settings->standby) standby_want(sup->standby);
    return true;
}

/* ---- one after the other ---- */

struct first_in_turn {
    struct call *call;
};

static void find_first(struct call *call, void *ctx) {
    struct first_in_turn *first = ctx;
    if (call->kind != CALL_PREFETCH || !call->model_key) return;
    if (!first->call || call->prefetch.turn < first->call->prefetch.turn) first->call = call;
}

static struct call *first_in_turn(struct supervisor *sup) {
    struct first_in_turn first = { NULL };
    calls_each(sup->calls, find_first, &first);
    return first.call;
}

static void fail_unread(struct supervisor *sup, struct call *call) {
    struct error err;
    error_set(&err, ERR_LOAD_FAILED,
              "'%.80s' could not be read to its end: its file has changed, or memory is short; "
              "`doze load %.80s` says more.",
              call->model_key, call->model_key);
    call_fail(sup->calls, call, &err);
}

static void prefetch_on_end(void *ctx) {
    struct supervisor *sup = ctx;
    struct call *call = call_find(sup->calls, sup->asked_prefetch_call);
    bool whole = prefetch_done(sup->asked_prefetch);
    prefetch_stop(sup->asked_prefetch);
    sup->asked_prefetch = NULL;
    if (call && whole)
        prefetch_call_end(sup, call, false);
    else if (call)
        fail_unread(sup, call);
    supervisor_wake(sup);
}

/* Something else is more urgent: a load, which reads its own file. */
static bool disk_is_needed(const struct supervisor *sup) {
    if (sup->prefetch_slot != LC_NO_SLOT) return true;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (sup->lc.slots[i].state == LC_LOADING) return true;
    }
    return false;
}

static void read_first(struct supervisor *sup) {
    struct call *call;
    while (!sup->asked_prefetch && (call = first_in_turn(sup))) {
        const struct model *model = catalog_find(*sup->config.catalog, call->model_key);
        sup->asked_prefetch_call = call->id;
        if (supervisor_is_up(sup, call->model_key))
            prefetch_call_end(sup, call, true);
        else if (!model || !(sup->asked_prefetch = prefetch_start(sup->config.loop, model->path,
                                                                  prefetch_on_end, sup)))
            fail_unread(sup, call);
    }
}

static void fail_all(struct supervisor *sup) {
    struct call *call;
    struct error err;
    error_set(&err, ERR_SHUTTING_DOWN,
              "The server is shutting down; ask again when it has started.");
    while ((call = first_in_turn(sup))) call_fail(sup->calls, call, &err);
}

void supervisor_read_asked(struct supervisor *sup) {
    if (sup->lc.shutting_down) fail_all(sup);
    bool needed = disk_is_needed(sup);
    bool left = !call_find(sup->calls, sup->asked_prefetch_call);
    if (sup->asked_prefetch && (needed || left)) {
        prefetch_stop(sup->asked_prefetch);
        sup->asked_prefetch = NULL;
    }
    if (!sup->asked_prefetch && !needed) read_first(sup);
}
