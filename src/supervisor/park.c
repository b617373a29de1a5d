/* SPDX-License-Identifier: MIT */
/* park.c - parks workers when their instance is unloaded, and gives them to later loads. */
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/size.h"
#include "supervisor/internal.h"

/* ---- which they are ---- */

static uint64_t add_file(uint64_t hash, const char *path) {
    struct stat st = { 0 };
    if (!path) return hash;
    hash = hash_add(hash, path, strlen(path) + 1);
    if (stat(path, &st) != 0) return hash_add(hash, "gone", 4);
    hash = hash_add(hash, &st.st_dev, sizeof st.st_dev);
    hash = hash_add(hash, &st.st_ino, sizeof st.st_ino);
    hash = hash_add(hash, &st.st_size, sizeof st.st_size);
    hash = hash_add(hash, &st.st_mtim.tv_sec, sizeof st.st_mtim.tv_sec);
    return hash_add(hash, &st.st_mtim.tv_nsec, sizeof st.st_mtim.tv_nsec);
}

/* As they are on disk: the catalog may be outdated. */
static uint64_t files_of(const struct model *model) {
    uint64_t hash = add_file(HASH_BEGIN, model->path);
    return model_has_vision(model) ? add_file(hash, model->projector) : hash;
}

struct park_key supervisor_park_key(const struct supervisor *sup, const struct model *model,
                                    const struct lc_plan *plan) {
    enum prompt_store_mode mode = sup->config.settings->prompt_store;
    uint64_t settings = hash_add(HASH_BEGIN, &plan->worker, sizeof plan->worker);
    settings = hash_add(settings, &plan->file, sizeof plan->file);
    settings = hash_add(settings, &mode, sizeof mode);
    return (struct park_key){ .settings = settings, .files = files_of(model) };
}

/* ---- what is told ---- */

static void log_change(const struct parked_facts *facts, enum parked_change change,
                       enum parked_reason reason) {
    static const char *const what[] = {
        [PARKED_BEGINS] = "its worker is parked",
        [PARKED_WAKES] = "its parked worker takes up the load",
        [PARKED_ENDS] = "its parked worker is given up",
    };
    char size[SIZE_TEXT];
    size_format(facts->bytes, size);
    log_info("%s: %s (%s)", facts->model_key, what[change],
             change == PARKED_ENDS ? parked_reason_name(reason) : size);
}

void supervisor_tell_parked(struct supervisor *sup, int place, enum parked_change change,
                            enum parked_reason reason) {
    const struct parked_facts *facts = &parked_places(sup->parked)[place];
    struct parked_event event = { .at = clock_unix(),
                                  .change = change,
                                  .reason = reason,
                                  .model_key = facts->model_key,
                                  .pid = parked_pid(sup->parked, place),
                                  .memory = facts->bytes,
                                  .seconds = (double)(clock_boottime() - facts->since) / 1000 };
    log_change(facts, change, reason);
    sup->config.metrics->parked[change]++;
    if (change == PARKED_ENDS) sup->config.metrics->parked_ends[reason]++;
    sup->config.on_parked(sup->config.ctx, &event);
}

/* ---- room ---- */

static bool any_taken(const struct supervisor *sup) {
    const struct parked_facts *places = parked_places(sup->parked);
    for (int i = 0; i < PARKED_MAX; i++) {
        if (places[i].taken) return true;
    }
    return false;
}

bool supervisor_fit_parked(struct supervisor *sup, nbytes more) {
    const struct parked_facts *places = parked_places(sup->parked);
    if (!any_taken(sup)) return true;
    nbytes taken = supervisor_taken(sup) + more, budget = supervisor_budget(sup).bytes;
    while (park_exceeds(places, PARKED_STAYING, taken, budget))
        parked_give_up(sup->parked, park_first_to_leave(places), PARKED_FOR_ROOM, 0);
    return !park_exceeds(places, PARKED_ALL, taken, budget);
}

/* ---- an instance leaves ---- */

/* By the loads in line. */
static nbytes awaited_bytes(const struct supervisor *sup) {
    nbytes sum = 0;
    for (int i = 0; i < LC_MAX_SLOTS; i++) {
        bool waits = sup->lc.slots[i].state == LC_ABSENT &&
                     lifecycle_view(&sup->lc, i).waiting > 0;
        if (waits) sum += sup->lc.slots[i].next.need;
    }
    return sum;
}

static nbytes free_beside(struct supervisor *sup, int slot) {
    nbytes taken = supervisor_taken(sup) - sup->lc.slots[slot].bytes + awaited_bytes(sup) +
                   supervisor_parked_bytes(sup);
    nbytes budget = supervisor_budget(sup).bytes;
    return budget > taken ? budget - taken : 0;
}

/* Also those that leave for a load with other settings (Auto-evict, rule 7). */
static bool may_return(const struct supervisor *sup, int slot) {
    enum lc_reason reason = sup->lc.slots[slot].leaving;
    bool wanted = reason == LC_BECAUSE_TTL || reason == LC_BECAUSE_EVICTED ||
                  lifecycle_view(&sup->lc, slot).waiting > 0;
    return wanted && !sup->lc.shutting_down;
}

bool supervisor_may_park(struct supervisor *sup, int slot) {
    const struct instance *in = &sup->instances[slot];
    if (sup->config.settings->parked_workers == PARK_OFF) return false;
    struct park_case c = { .mode = sup->config.settings->parked_workers,
                           .returns = may_return(sup, slot),
                           .elsewhere = in->facts.device_layers > 0,
                           .locked = in->effective.mlock > 0,
                           .drafts = *in->effective.draft_model != '\0',
                           .under_stress = pressure_lasts(&sup->pressure, clock_boottime()),
                           .bytes = sup->lc.slots[slot].bytes,
                           .free = free_beside(sup, slot) };
    const struct parked_facts *places = parked_places(sup->parked);
    return park_allows(&c) && park_free_place(places) >= 0 &&
           park_find(places, in->model_key, &in->park_key) < 0;
}

void supervisor_park(struct supervisor *sup, int slot, nbytes bytes) {
    struct instance *in = &sup->instances[slot];
    int place = park_free_place(parked_places(sup->parked));
    if (place < 0 || !may_return(sup, slot)) {
        worker_kill(in->worker);
        return;
    }
    const struct parked_facts facts = { .model_key = in->model_key,
                                        .key = in->park_key,
                                        .bytes = bytes,
                                        .since = clock_boottime() };
    parked_add(sup->parked, place, in->worker, &facts);
    in->worker = NULL;
    in->facts.memory -= bytes < in->facts.memory ? bytes : in->facts.memory;
    supervisor_tell_parked(sup, place, PARKED_BEGINS, 0);
}

/* ---- a load comes ---- */

bool supervisor_has_parked(const struct supervisor *sup, int slot) {
    const char *key = sup->instances[slot].model_key;
    if (!key || !any_taken(sup)) return false;
    const struct model *model = catalog_find(*sup->config.catalog, key);
    if (!model) return false;
    struct park_key wanted = supervisor_park_key(sup, model, &sup->lc.slots[slot].next);
    return park_find(parked_places(sup->parked), key, &wanted) >= 0;
}

static void give_up_stale(struct supervisor *sup, const char *model_key, uint64_t files) {
    int stale;
    while ((stale = park_find_stale(parked_places(sup->parked), model_key, files)) >= 0)
        parked_give_up(sup->parked, stale, PARKED_FILE_CHANGED, 0);
}

struct worker *supervisor_take_parked(struct supervisor *sup, int slot) {
    const struct instance *in = &sup->instances[slot];
    give_up_stale(sup, in->model_key, in->park_key.files);
    int place = park_find(parked_places(sup->parked), in->model_key, &in->park_key);
    if (place < 0) return NULL;
    supervisor_tell_parked(sup, place, PARKED_WAKES, 0);
    return parked_take(sup->parked, place, slot, sup->lc.slots[slot].generation,
                       &sup->worker_owner);
}

/* ---- their end ---- */

void supervisor_give_up_parked(struct supervisor *sup, enum parked_reason reason,
                               call_id unloading) {
    int place;
    while ((place = park_first_to_leave(parked_places(sup->parked))) >= 0)
        parked_give_up(sup->parked, place, reason, unloading);
}

bool supervisor_unload_parked(struct supervisor *sup, const char *name, call_id unloading) {
    const struct parked_facts *places = parked_places(sup->parked);
    const struct model *model = catalog_find(*sup->config.catalog, name);
    const char *key = model ? model->key : name;
    bool found = false;
    for (int i = 0; i < PARKED_MAX; i++) {
        if (!places[i].taken || places[i].leaves || strcmp(places[i].model_key, key) != 0)
            continue;
        parked_give_up(sup->parked, i, PARKED_BY_USER, unloading);
        found = true;
    }
    return found;
}

void supervisor_catalog_changed(struct supervisor *sup) {
    const struct parked_facts *places = parked_places(sup->parked);
    for (int i = 0; i < PARKED_MAX; i++) {
        if (!places[i].taken || places[i].leaves) continue;
        const struct model *model = catalog_find(*sup->config.catalog, places[i].model_key);
        if (!model || files_of(model) != places[i].key.files)
            parked_give_up(sup->parked, i, PARKED_FILE_CHANGED, 0);
    }
}

msec supervisor_parked_deadline(const struct supervisor *sup) {
    return park_deadline(parked_places(sup->parked), sup->config.settings->parked_life);
}

void supervisor_tend_parked(struct supervisor *sup) {
    if (sup->config.settings->parked_workers == PARK_OFF)
        supervisor_give_up_parked(sup, PARKED_SWITCHED_OFF, 0);
    while (supervisor_parked_deadline(sup) <= clock_boottime())
        parked_give_up(sup->parked, park_first_to_leave(parked_places(sup->parked)),
                       PARKED_TOO_LONG, 0);
}

/* ---- what can be seen ---- */

static struct parked_view view_of(const struct supervisor *sup, int place) {
    const struct parked_facts *facts = &parked_places(sup->parked)[place];
    msec life = sup->config.settings->parked_life;
    msec since = facts->since + clock_unix() - clock_boottime();
    return (struct parked_view){ .pid = parked_pid(sup->parked, place),
                                 .memory_bytes = facts->bytes,
                                 .parked_at = since,
                                 .expires_at = life == MSEC_NEVER ? 0 : since + life };
}

size_t supervisor_parked(const struct supervisor *sup,
                         struct parked_status ret_parked[PARKED_MAX]) {
    const struct parked_facts *places = parked_places(sup->parked);
    size_t count = 0;
    for (int i = 0; i < PARKED_MAX; i++) {
        if (!places[i].taken || places[i].leaves) continue;
        ret_parked[count++] = (struct parked_status){ places[i].model_key, view_of(sup, i) };
    }
    return count;
}

nbytes supervisor_parked_bytes(const struct supervisor *sup) {
    const struct parked_facts *places = parked_places(sup->parked);
    nbytes sum = 0;
    for (int i = 0; i < PARKED_MAX; i++) sum += places[i].bytes;
    return sum;
}

size_t supervisor_view_parked(const struct supervisor *sup, const char *model_key,
                              struct parked_view *ret_views) {
    struct parked_status all[PARKED_MAX];
    size_t count = 0, known = supervisor_parked(sup, all);
    for (size_t i = 0; i < known; i++) {
        if (strcmp(all[i].model_key, model_key) == 0) ret_views[count++] = all[i].view;
    }
    return count;
}
