/* SPDX-License-Identifier: MIT */
#include "supervisor/loans.h"

#include <unistd.h>

#include "base/log.h"
#include "base/size.h"
#include "supervisor/internal.h"

void supervisor_set_loans(struct supervisor *sup, const struct loans *loans) {
    sup->loans = *loans;
}

/* A draft model stays with one that is whole here. */
bool supervisor_find_loan(const struct supervisor *sup, const struct model_shape *shape,
                          const struct load_settings *effective, struct loan_offer *ret) {
    *ret = (struct loan_offer){ 0 };
    if (!sup->loans.find || *effective->draft_model) return false;
    nbytes own = supervisor_memory_budget(sup);
    if (load_plan_need(shape, effective) <= own) return false;
    return sup->loans.find(sup->loans.ctx, load_plan_whole(shape, effective), own, ret);
}

static void instance_on_lost(void *ctx, const struct error *why) {
    struct instance *in = ctx;
    in->lost = *why;
    if (in->worker) worker_kill(in->worker); /* its end tells those who wait */
}

struct worker *supervisor_spawn_borrower(struct supervisor *sup, int slot, struct error *err) {
    struct instance *in = &sup->instances[slot];
    struct loan_sink sink = { instance_on_lost, in };
    char size[SIZE_TEXT];
    int fd = -1;
    in->loan = sup->loans.open(sup->loans.ctx, &in->lent, sink, &fd, err);
    if (!in->loan) return NULL;
    size_format(in->lent.bytes, size);
    log_info("%s: does not fit into the memory here; '%s' lends %s", in->identifier,
             in->lent.lender, size);
    struct worker *worker = worker_spawn_lent(sup->config.loop, sup->config.worker_program, fd,
                                              &sup->worker_owner, err);
    (void)close(fd);
    if (worker)
        worker_adopt(worker, slot, sup->lc.slots[slot].generation, &sup->worker_owner);
    else
        supervisor_close_loan(sup, in);
    return worker;
}

void supervisor_close_loan(struct supervisor *sup, struct instance *in) {
    if (in->loan) sup->loans.close(in->loan);
    in->loan = NULL;
}
