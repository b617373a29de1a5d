/* SPDX-License-Identifier: MIT */
/* memory.c - the machine's memory, and what instances take of it. */
#include "base/memory.h"

#include "ipc/growth_message.h"
#include "supervisor/internal.h"

/* Weights that are mapped from their file are page cache: the system counts them as available
 * though instances use them. So only the private memory of instances is added back, and that
 * of parked workers, which give it up for any instance. */
static nbytes private_bytes(const struct supervisor *sup) {
    nbytes sum = parked_private_bytes(sup->parked);
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        if (sup->instances[i].worker) sum += worker_private_bytes(sup->instances[i].worker);
    }
    return sum;
}

nbytes supervisor_device_budget(const struct supervisor *sup) {
    nbytes budget = sup->config.worker_program->device;
    nbytes limit = sup->config.settings->device_limit;
    return limit && limit < budget ? limit : budget;
}

/* What memory_limit leaves to the instances; 0: there is no limit. Processes that check what
 * clients send count against it, except those that have answered: they are about to end, and a
 * load may follow at once. */
static nbytes limit_of(const struct supervisor *sup) {
    nbytes limit = sup->config.settings->memory_limit;
    if (limit == 0) return 0;
    nbytes beside = oneshots_bytes(&sup->oneshots, MSG_CHECK);
    return limit > beside ? limit - beside : 1;
}

/* What is lent counts as used, taken or not. */
nbytes supervisor_memory_budget(const struct supervisor *sup) {
    nbytes budget = memory_available(), lent = supervisor_lent(sup);
    if (budget != UINT64_MAX) budget += private_bytes(sup) + supervisor_lent_private(sup);
    nbytes limit = limit_of(sup);
    if (limit && limit < budget) budget = limit;
    if (budget == UINT64_MAX) return budget;
    return budget > lent ? budget - lent : 1;
}

struct lc_event supervisor_budget(struct supervisor *sup) {
    sup->memory_total = memory_total();
    return (struct lc_event){ .kind = LC_EV_BUDGET,
                              .bytes = supervisor_memory_budget(sup),
                              .device = supervisor_device_budget(sup) };
}

enum slots_counted { SLOTS_ALL, SLOTS_STAYING };

/* What the other slots take. */
static nbytes bytes_beside(const struct supervisor *sup, int slot, enum slots_counted counted) {
    nbytes sum = 0;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        enum lc_state state = sup->lc.slots[i].state;
        bool leaves = state == LC_DRAINING || state == LC_UNLOADING;
        if (i != slot && !(counted == SLOTS_STAYING && leaves)) sum += sup->lc.slots[i].bytes;
    }
    return sum;
}

nbytes supervisor_taken(const struct supervisor *sup) {
    return bytes_beside(sup, LC_NO_SLOT, SLOTS_ALL);
}

nbytes supervisor_memory_left(const struct supervisor *sup, int slot) {
    nbytes limit = limit_of(sup), others = bytes_beside(sup, slot, SLOTS_ALL);
    if (limit == 0) return UINT64_MAX;
    return limit > others ? limit - others : 1;
}

/* ---- growth ---- */

static int64_t number(nbytes bytes) {
    return bytes < GROWTH_LARGEST ? (int64_t)bytes : GROWTH_LARGEST;
}

static void send_grant(const struct supervisor *sup, struct worker *worker,
                       struct grant_message grant) {
    struct buf text = BUF_INIT(1 << 10);
    grant.limit = number(sup->config.settings->memory_limit);
    grant_message_format(&grant, &text);
    worker_send(worker, MSG_GRANT, 0, text.data, text.len);
    buf_clear(&text);
}

void supervisor_grant(struct supervisor *sup, const struct lc_action *action) {
    const struct instance *in = &sup->instances[action->slot];
    if (!in->worker) return;
    send_grant(sup, in->worker,
               (struct grant_message){ .ask = in->growth_ask,
                                       .bytes = number(action->need),
                                       .most = number(action->free) });
}

void supervisor_tell_limit(struct supervisor *sup) {
    nbytes limit = sup->config.settings->memory_limit;
    if (sup->limit_told == limit) return;
    sup->limit_told = limit;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        const struct lc_slot *slot = &sup->lc.slots[i];
        bool loaded = slot->state == LC_IDLE || slot->state == LC_BUSY ||
                      slot->state == LC_DRAINING;
        if (!loaded || !sup->instances[i].worker) continue;
        nbytes others = bytes_beside(sup, i, SLOTS_STAYING),
               left = limit > others ? limit - others : 1;
        if (limit == 0) left = UINT64_MAX;
        send_grant(sup, sup->instances[i].worker,
                   (struct grant_message){ .bytes = number(left) });
    }
}

/* Mapped weights count as available, so what others take is what is neither available nor
 * private to an instance. */
struct memory_status supervisor_memory(const struct supervisor *sup) {
    nbytes total = memory_total(), available = memory_available();
    if (available > total) available = total;
    nbytes used = total - available, ours = private_bytes(sup);
    nbytes lent = supervisor_lent(sup), taken = supervisor_lent_private(sup);
    return (struct memory_status){ .total = total,
                                   .lent = lent,
                                   .lent_untaken = lent > taken ? lent - taken : 0,
                                   .available = available,
                                   .other = used > ours ? used - ours : 0,
                                   .limit = sup->config.settings->memory_limit,
                                   .parked = parked_private_bytes(sup->parked),
                                   .device = supervisor_device_budget(sup) };
}

static nbytes less(nbytes a, nbytes b) {
    return a > b ? a - b : 0;
}

/* Parked workers are in nobody's way. */
nbytes memory_status_free(const struct memory_status *status) {
    nbytes unused = status->available + status->parked;
    nbytes used = less(status->total, status->other + unused);
    nbytes free_bytes = less(unused, status->lent_untaken);
    nbytes left = less(status->limit, used + status->lent);
    return status->limit && left < free_bytes ? left : free_bytes;
}

/* The system counts mapped weights as available, so those in use are subtracted here. */
bool supervisor_fits_beside(const struct supervisor *sup, nbytes size) {
    return supervisor_taken(sup) + size <= memory_available();
}
