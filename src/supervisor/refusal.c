/* SPDX-License-Identifier: MIT */
/* refusal.c - the sentences that clients get when the lifecycle refuses or ends a request. */
#include <assert.h>

#include "base/size.h"
#include "supervisor/internal.h"

static int seconds_until(msec at, msec now) {
    return at <= now ? 1 : (int)((at - now + 999) / 1000);
}

/* Is there another instance that could be unloaded? */
static bool has_others(const struct supervisor *sup, int slot) {
    for (int other = 0; other < LC_MAX_SLOTS; other++) {
        if (other != slot && supervisor_shows(sup, other)) return true;
    }
    return false;
}

static void no_memory_error(const struct supervisor *sup, const struct lc_action *action,
                            const char *key, struct error *err) {
    char need[SIZE_TEXT], have[SIZE_TEXT];
    size_format(action->need, need);
    size_format(action->free, have);
    error_set(err, ERR_NO_MEMORY,
              "'%.48s' needs about %s and %s are free%s%s; %s%schoose a smaller context "
              "length, or load it with force.",
              key, need, have, sup->config.settings->memory_limit ? " below memory_limit" : "",
              sup->loans.find ? ", and no node of the fleet lends enough (fleet.lend_memory)"
                              : "",
              has_others(sup, action->slot) ? "unload another model, " : "",
              sup->config.settings->memory_limit ? "raise it, " : "");
}

void supervisor_explain_stall(const struct supervisor *sup, const char *key,
                              struct error *err) {
    error_set(err, ERR_LOAD_FAILED,
              "'%.80s' made no progress while loading for %lld s and was stopped; check the "
              "disk or raise load_stall_seconds.",
              key, (long long)(sup->lc.settings.load_stall / 1000));
}

/* cause: "" if the next load has begun already or is waiting. */
static void back_off_error(const struct supervisor *sup, const struct lc_action *action,
                           const char *key, const char *cause, struct error *err) {
    error_set(err, ERR_BACK_OFF, "Loading '%.60s' failed a moment ago: %s", key,
              *cause ? cause : "it is being tried again; send the request again later.");
    err->retry_after = seconds_until(action->at, sup->lc.now);
}

/* An instance that was loading or waiting for its place was cancelled, not unloaded. */
static void unloaded_error(const struct supervisor *sup, const struct lc_action *action,
                           const char *key, struct error *err) {
    const struct lc_slot *slot = &sup->lc.slots[action->slot];
    bool loaded = slot->state == LC_UNLOADING && slot->leaving == LC_BECAUSE_USER;
    error_set(err, ERR_MODEL_UNLOADED,
              loaded ? "The model '%.80s' was unloaded by hand; ask again to load it."
                     : "The load of '%.80s' was cancelled by hand; ask again to load it.",
              key);
}

static void jit_off_error(const char *key, struct error *err) {
    error_set_param(err, ERR_MODEL_NOT_FOUND, "model",
                    "The model '%.80s' exists but is not loaded, and JIT loading is off; load "
                    "it with `doze load %.80s` or switch JIT loading on.",
                    key, key);
}

/* Seconds after which a client may try again. */
enum { CROWDED_RETRY_SECONDS = 5 };

static void queue_full_error(const char *key, struct error *err) {
    error_set(err, ERR_QUEUE_FULL,
              "Too many requests are waiting for '%.80s' already; try again later.", key);
    err->retry_after = CROWDED_RETRY_SECONDS;
}

static void too_many_error(struct error *err) {
    error_set(err, ERR_QUEUE_FULL,
              "There are %d instances already, the most there may be; unload one first.",
              LC_MAX_SLOTS);
    err->retry_after = CROWDED_RETRY_SECONDS;
}

static void died_error(const struct instance *in, const char *key, struct error *err) {
    if (in->lost.code != ERR_NONE) {
        *err = in->lost;
        return;
    }
    error_set(err, ERR_WORKER_DIED,
              "The worker of '%.80s' died during this request; send it again, and look at the "
              "server's log if it happens twice.",
              key);
}

void supervisor_explain(const struct supervisor *sup, const struct lc_action *action,
                        const char *key, struct error *err) {
    static const struct instance nobody;
    const struct instance *in = action->slot >= 0 ? &sup->instances[action->slot] : &nobody;
    switch (action->fail) {
    case LC_FAIL_JIT_OFF:
        jit_off_error(key, err);
        return;
    case LC_FAIL_QUEUE_FULL:
        queue_full_error(key, err);
        return;
    case LC_FAIL_TOO_MANY:
        too_many_error(err);
        return;
    case LC_FAIL_LOAD_FAILED:
        *err = in->load_error;
        return;
    case LC_FAIL_LOAD_STALLED:
        supervisor_explain_stall(sup, key, err);
        return;
    case LC_FAIL_BACK_OFF:
        back_off_error(sup, action, key, in->load_error.text, err);
        return;
    case LC_FAIL_NO_MEMORY:
        no_memory_error(sup, action, key, err);
        return;
    case LC_FAIL_UNLOADED:
        unloaded_error(sup, action, key, err);
        return;
    case LC_FAIL_DIED:
        died_error(in, key, err);
        return;
    case LC_FAIL_SHUTDOWN:
        error_set(err, ERR_SHUTTING_DOWN,
                  "The server is shutting down; ask again when it has started.");
        return;
    case LC_FAIL_NONE:
        break;
    }
    assert(false && "lc_fail");
}
