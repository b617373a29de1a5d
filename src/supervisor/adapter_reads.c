/* SPDX-License-Identifier: MIT */
/* adapter_reads.c - reads the headers of adapters on a pool thread before a call begins that
 * would load a model with them. For one call at a time, because headers may be long. */
#include <stdlib.h>

#include "base/xalloc.h"
#include "supervisor/internal.h"

struct adapter_reads {
    uv_work_t work;
    struct supervisor *sup; /* NULL: it is gone */
    struct adapter_look looks[LOAD_MAX_ADAPTERS];
    size_t count;
};

static void adapter_reads_on_thread(uv_work_t *work) {
    struct adapter_reads *reads = work->data;
    for (size_t i = 0; i < reads->count; i++) adapter_look_read(&reads->looks[i]);
}

static void begin_again(struct call *call, void *ctx) {
    if (call->adapters != ADAPTERS_IN_LINE && call->adapters != ADAPTERS_IN_READ) return;
    call->adapters = call->adapters == ADAPTERS_IN_READ ? ADAPTERS_READ : ADAPTERS_UNREAD;
    supervisor_post_call(ctx, call);
}

static void adapter_reads_on_done(uv_work_t *work, int status) {
    struct adapter_reads *reads = work->data;
    struct supervisor *sup = reads->sup;
    for (size_t i = 0; i < reads->count; i++) {
        if (sup && status == 0) adapter_files_remember(sup->adapter_files, &reads->looks[i]);
        adapter_look_clear(&reads->looks[i]);
    }
    free(reads);
    if (!sup) return;
    sup->adapter_reads = NULL;
    calls_each(sup->calls, begin_again, sup);
}

/* Looks at what the call would load; false: all of it is known. */
static bool begin_read(struct supervisor *sup, struct call *call, const struct model *model,
                       const struct load_adapters *adapters) {
    struct adapter_reads *reads = xcalloc(1, sizeof *reads);
    reads->sup = sup;
    reads->count = adapter_files_unknown(sup->adapter_files, model, adapters, reads->looks);
    reads->work.data = reads;
    if (reads->count > 0 &&
        uv_queue_work(sup->config.loop, &reads->work, adapter_reads_on_thread,
                      adapter_reads_on_done) == 0) {
        sup->adapter_reads = reads;
        call->adapters = ADAPTERS_IN_READ;
        return true;
    }
    for (size_t i = 0; i < reads->count; i++) adapter_look_clear(&reads->looks[i]);
    free(reads);
    return false;
}

static bool is_known(const struct supervisor *sup, const struct model *model,
                     const struct load_adapters *adapters) {
    struct adapter_look looks[LOAD_MAX_ADAPTERS];
    size_t count = adapter_files_unknown(sup->adapter_files, model, adapters, looks);
    for (size_t i = 0; i < count; i++) adapter_look_clear(&looks[i]);
    return count == 0;
}

bool supervisor_reads_adapters(struct supervisor *sup, struct call *call,
                               const struct model *model,
                               const struct load_settings *requested) {
    if (!model || call->adapters == ADAPTERS_READ || sup->lc.shutting_down) return false;
    struct load_layers layers = supervisor_layers(sup, model, requested);
    const struct load_adapters *adapters = load_plan_adapters(&layers);
    if (!adapters) return false;
    if (!sup->adapter_reads) return begin_read(sup, call, model, adapters);
    if (is_known(sup, model, adapters)) return false;
    call->adapters = ADAPTERS_IN_LINE;
    return true;
}

void supervisor_stop_adapter_reads(struct supervisor *sup) {
    calls_each(sup->calls, begin_again, sup);
}

void supervisor_drop_adapter_reads(struct supervisor *sup) {
    if (sup->adapter_reads) sup->adapter_reads->sup = NULL;
    sup->adapter_reads = NULL;
}
