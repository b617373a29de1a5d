/* SPDX-License-Identifier: MIT */
/* prepare.c - what can be done before a load may begin: read the file ahead, have a worker
 * ready. */
#include "base/clock.h"
#include "supervisor/internal.h"

/* The slot whose load comes next. */
static int next_in_line(const struct supervisor *sup) {
    for (uint32_t i = 0; i < sup->lc.request_count; i++) {
        const struct lc_request *request = &sup->lc.requests[i];
        if (request->state == LC_WAITING && sup->lc.slots[request->slot].state == LC_ABSENT) {
            return request->slot;
        }
    }
    return LC_NO_SLOT;
}

static bool is_idle(const struct supervisor *sup) {
    if (sup->lc.request_count > 0 || sup->lc.shutting_down) return false;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        enum lc_state state = sup->lc.slots[i].state;
        if (state != LC_ABSENT && state != LC_IDLE) return false;
    }
    return true;
}

static void prefetch_next(struct supervisor *sup, int slot) {
    const struct model *model = catalog_find(*sup->config.catalog,
                                             sup->instances[slot].model_key);
    if (sup->prefetch_slot == slot) return;
    prefetch_stop(sup->prefetch);
    bool fits = model && !supervisor_has_parked(sup, slot) &&
                supervisor_fits_beside(sup, model->size);
    sup->prefetch = fits ? prefetch_start(sup->config.loop, model->path, NULL, NULL) : NULL;
    sup->prefetch_slot = slot;
}

void supervisor_prepare(struct supervisor *sup) {
    int next = next_in_line(sup);
    if (next == LC_NO_SLOT) {
        prefetch_stop(sup->prefetch);
        sup->prefetch = NULL;
        sup->prefetch_slot = LC_NO_SLOT;
    } else {
        prefetch_next(sup, next);
    }
    supervisor_read_asked(sup);
    bool parked = next != LC_NO_SLOT && supervisor_has_parked(sup, next);
    if (!sup->config.settings->standby) {
        standby_drop(sup->standby);
    } else if (next != LC_NO_SLOT && !parked && !standby_keeps(sup->standby, next)) {
        standby_want(sup->standby);
    } else if (!parked && is_idle(sup) && !pressure_lasts(&sup->pressure, clock_boottime())) {
        standby_idle(sup->standby);
    } else {
        standby_busy(sup->standby);
    }
}
