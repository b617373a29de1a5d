/* SPDX-License-Identifier: MIT */
#include "supervisor/supervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/xalloc.h"
#include "supervisor/internal.h"

/* ---- the deadline ---- */

static void arm(struct supervisor *sup) {
    msec deadline = lifecycle_deadline(&sup->lc), reload = supervisor_reload_deadline(sup);
    msec parked = supervisor_parked_deadline(sup);
    if (reload < deadline) deadline = reload;
    if (parked < deadline) deadline = parked;
    if (deadline == sup->armed) return;
    sup->armed = deadline;
    struct itimerspec when = { 0 };
    if (deadline != MSEC_NEVER) {
        if (deadline < 1) deadline = 1; /* zero would disarm */
        when.it_value.tv_sec = deadline / 1000;
        when.it_value.tv_nsec = deadline % 1000 * 1000000;
    }
    timerfd_settime(sup->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void supervisor_on_timer(uv_poll_t *poll, int status, int events) {
    struct supervisor *sup = poll->data;
    uint64_t count;
    (void)status;
    (void)events;
    if (read(sup->timer_fd, &count, sizeof count) < 0) return; /* re-armed meanwhile */
    sup->armed = MSEC_NEVER;
    supervisor_post(sup, (struct lc_event){ .kind = LC_EV_TICK });
}

/* ---- the work ---- */

typedef bool begin_fn(struct supervisor *sup, struct call *call, struct error *err);

static void begin_call(struct supervisor *sup, call_id id) {
    static begin_fn *const begins[] = {
        [CALL_REQUEST] = supervisor_begin_request,
        [CALL_LOAD] = supervisor_begin_load,
        [CALL_GET_OR_LOAD] = supervisor_begin_get_or_load,
        [CALL_ESTIMATE] = supervisor_begin_estimate,
        [CALL_PREFETCH] = supervisor_begin_prefetch,
        [CALL_UNLOAD] = supervisor_begin_unload,
        [CALL_UPDATE] = supervisor_begin_update,
    };
    struct call *call = call_find(sup->calls, id);
    if (!call) return; /* cancelled before its turn */
    struct error err = call->refusal;
    if (err.code == ERR_NONE && begins[call->kind](sup, call, &err)) return;
    call_fail(sup->calls, call, &err);
}

/* Sinks are called from here and by messages of workers, nowhere else. What they ask for goes
 * to the end of the queue. */
static void supervisor_on_drain(uv_idle_t *idle) {
    struct supervisor *sup = idle->data;
    struct work work;
    while (work_queue_pop(&sup->queue, &work)) {
        if (work.call)
            begin_call(sup, work.call);
        else
            supervisor_step(sup, work.event);
    }
    uv_idle_stop(idle);
    supervisor_tell_limit(sup);
    supervisor_reload_pinned(sup);
    supervisor_tend_parked(sup);
    arm(sup);
    supervisor_prepare(sup);
    sup->config.on_changed(sup->config.ctx);
}

void supervisor_settings_changed(struct supervisor *sup) {
    supervisor_post(sup, (struct lc_event){ .kind = LC_EV_SETTINGS,
                                            .settings = sup->config.settings->rules });
    supervisor_post(sup, supervisor_budget(sup));
    (void)supervisor_fit_parked(sup, 0);
}

void supervisor_program_changed(struct supervisor *sup) {
    standby_drop(sup->standby);
    supervisor_give_up_parked(sup, PARKED_ENGINE_CHANGED, 0);
    supervisor_wake(sup);
}

void supervisor_shutdown(struct supervisor *sup) {
    standby_drop(sup->standby);
    supervisor_give_up_parked(sup, PARKED_SHUTDOWN, 0);
    supervisor_post(sup, (struct lc_event){ .kind = LC_EV_SHUTDOWN });
    supervisor_end_checks(sup, NULL);
    supervisor_stop_adapter_reads(sup);
}

struct supervisor *supervisor_new(const struct supervisor_config *config, struct error *err) {
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0) {
        error_set(err, ERR_IO, "The system gives no timer: %s.", strerror(errno));
        return NULL;
    }
    struct supervisor *sup = xcalloc(1, sizeof *sup);
    sup->config = *config;
    sup->limit_told = config->settings->memory_limit;
    sup->memory_total = memory_total();
    sup->timer_fd = fd;
    sup->armed = MSEC_NEVER;
    sup->calls = calls_new(config->metrics);
    sup->on_drain = supervisor_on_drain;
    sup->worker_owner = supervisor_worker_owner(sup);
    sup->standby = standby_new(config->loop, config->worker_program);
    const struct parked_owner parked_owner = supervisor_parked_owner(sup);
    sup->parked = parked_new(&parked_owner);
    sup->prefetch_slot = LC_NO_SLOT;
    sup->adapter_files = adapter_files_new();
    lifecycle_init(&sup->lc, &config->settings->rules);
    uv_poll_init(config->loop, &sup->timer, fd);
    sup->timer.data = sup;
    uv_poll_start(&sup->timer, UV_READABLE, supervisor_on_timer);
    uv_idle_init(config->loop, &sup->drain);
    sup->drain.data = sup;
    supervisor_prepare(sup);
    return sup;
}

static void supervisor_on_closed(uv_handle_t *handle) {
    struct supervisor *sup = handle->data;
    if (--sup->open_handles > 0) return;
    close(sup->timer_fd);
    for (uint32_t i = 0; i < sup->model_count; i++) free(sup->model_names[i]);
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        free(sup->instances[i].identifier);
        free(sup->instances[i].model_key);
        free(sup->instances[i].load_order);
    }
    free(sup->model_names);
    free(sup->model_views);
    free(sup->instance_views);
    work_queue_clear(&sup->queue);
    calls_free(sup->calls);
    load_texts_clear(&sup->texts);
    adapter_files_free(sup->adapter_files);
    pinned_clear(&sup->pinned);
    free(sup);
}

void supervisor_free(struct supervisor *sup) {
    if (!sup) return;
    oneshots_drop(&sup->oneshots);
    supervisor_drop_adapter_reads(sup);
    supervisor_drop_lendings(sup);
    prefetch_stop(sup->prefetch);
    prefetch_stop(sup->asked_prefetch);
    standby_free(sup->standby);
    parked_free(sup->parked);
    sup->open_handles = 2;
    uv_close((uv_handle_t *)&sup->timer, supervisor_on_closed);
    uv_close((uv_handle_t *)&sup->drain, supervisor_on_closed);
}
