/* SPDX-License-Identifier: MIT */
#include "daemon/engines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/engine_places.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/size.h"
#include "base/xalloc.h"
#include "daemon/engine_probe.h"

struct variant {
    char *folder; /* NULL: not installed */
    uint64_t stamp;
    bool probing;
    struct engine_state state;
};

struct engines {
    struct engines_config config;
    struct variant variants[ENGINE_KINDS]; /* of those for GPUs */
    struct engine_choice choice;
    struct worker_program program;
    char *libraries; /* program.libraries */
    int probes;      /* under way */
    bool starting;   /* the loop does not run yet */
    bool gone;
};

static const enum engine_kind for_gpus[] = { ENGINE_VULKAN, ENGINE_CUDA };
enum { FOR_GPUS = sizeof for_gpus / sizeof for_gpus[0] };

/* Changes with the version of a driver and with the cards that it serves. */
static const char *const driver_files[] = {
    "/usr/share/vulkan/icd.d",
    "/usr/local/share/vulkan/icd.d",
    "/etc/vulkan/icd.d",
    "/usr/lib/x86_64-linux-gnu/libvulkan.so.1",
    "/usr/lib64/libvulkan.so.1",
    "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
    "/usr/lib64/libcuda.so.1",
    "/usr/lib/libcuda.so.1",
    "/usr/local/cuda",
    "/dev/dri",
    "/dev/nvidia0",
    "/dev/nvidiactl",
    "/sys/module/nvidia",
    "/sys/module/amdgpu",
};

const char *engines_version(void) {
    return DOZE_ENGINE_VERSION;
}

/* ---- what may have changed ---- */

static uint64_t stamp_file(uint64_t stamp, const char *path) {
    struct stat st;
    if (stat(path, &st) != 0) return hash_add(stamp, "", 1);
    stamp = hash_add(stamp, &st.st_ino, sizeof st.st_ino);
    return hash_add(stamp, &st.st_mtim, sizeof st.st_mtim);
}

static uint64_t stamp_of(const char *folder) {
    uint64_t stamp = HASH_BEGIN;
    char *version = xasprintf("%s/version", folder);
    stamp = stamp_file(stamp, version);
    free(version);
    for (size_t i = 0; i < sizeof driver_files / sizeof driver_files[0]; i++)
        stamp = stamp_file(stamp, driver_files[i]);
    return stamp;
}

static bool has_nvidia(void) {
    return access("/dev/nvidia0", F_OK) == 0;
}

/* ---- the choice ---- */

static void say_choice(const struct engines *e) {
    const struct engine_choice *choice = &e->choice;
    const char *wanted = engine_words[*e->config.setting];
    if (choice->fallback) {
        log_warn("Models are computed on the CPU, not with the engine '%s': %s", wanted,
                 choice->why);
        return;
    }
    if (choice->kind == ENGINE_CPU) return;
    const struct engine_device *device = &e->variants[choice->kind].state.report.devices[0];
    char size[SIZE_TEXT];
    size_format(device->total, size);
    log_info("models are computed by %s on %s (%s)", engine_words[choice->kind],
             device->description, size);
}

/* Left for the driver and other programs: a sixteenth, at most 1 GiB. */
static nbytes usable(const struct engine_device *device) {
    nbytes kept = device->total / 16, most = (nbytes)1 << 30;
    return device->total - (kept < most ? kept : most);
}

static nbytes device_memory(const struct engines *e) {
    const struct engine_report *report = &e->variants[e->choice.kind].state.report;
    nbytes sum = 0;
    for (size_t i = 0; i < report->count; i++) sum += usable(&report->devices[i]);
    return sum;
}

static void choose(struct engines *e) {
    struct engine_state states[ENGINE_KINDS] = { 0 };
    for (size_t i = 0; i < FOR_GPUS; i++) states[for_gpus[i]] = e->variants[for_gpus[i]].state;
    struct engine_choice before = e->choice;
    e->choice = engine_choose(*e->config.setting, states, has_nvidia());
    bool same = before.kind == e->choice.kind;
    if (!same || strcmp(before.why, e->choice.why) != 0) say_choice(e);
    const char *folder = e->variants[e->choice.kind].folder;
    e->program.device = device_memory(e);
    same = same && (folder ? e->libraries && strcmp(folder, e->libraries) == 0 : !e->libraries);
    if (same) return;
    free(e->libraries);
    e->libraries = folder ? xstrdup(folder) : NULL;
    e->program.libraries = e->libraries;
    if (!e->starting) e->config.on_changed(e->config.ctx);
}

/* ---- probes ---- */

static void engines_unref(struct engines *e) {
    if (!e->gone || e->probes > 0) return;
    for (size_t i = 0; i < FOR_GPUS; i++) free(e->variants[for_gpus[i]].folder);
    free(e->libraries);
    free(e);
}

static void engines_on_probed(void *ctx, enum engine_kind kind,
                              const struct engine_state *state) {
    struct engines *e = ctx;
    struct variant *v = &e->variants[kind];
    e->probes--;
    v->probing = false;
    if (v->folder) v->state = *state;
    if (!e->gone && !e->starting) choose(e);
    engines_unref(e);
}

static void probe(struct engines *e, enum engine_kind kind, uv_loop_t *loop) {
    struct variant *v = &e->variants[kind];
    struct worker_program program = { .path = e->config.worker, .libraries = v->folder };
    v->probing = true;
    e->probes++;
    engine_probe_start(loop, kind, &program,
                       (struct engine_probe_sink){ .on_end = engines_on_probed, .ctx = e });
}

static void look_at(struct engines *e, enum engine_kind kind, uv_loop_t *loop) {
    struct variant *v = &e->variants[kind];
    if (v->probing) return;
    char *folder = engine_place_find(engine_words[kind], engines_version());
    uint64_t stamp = folder ? stamp_of(folder) : 0;
    bool same = folder && v->folder && stamp == v->stamp && strcmp(folder, v->folder) == 0;
    free(v->folder);
    v->folder = folder;
    v->stamp = stamp;
    if (!same) v->state = (struct engine_state){ .installed = folder, .asking = folder };
    if (folder && !same) probe(e, kind, loop);
}

void engines_look(struct engines *e) {
    for (size_t i = 0; i < FOR_GPUS; i++) look_at(e, for_gpus[i], e->config.loop);
    choose(e);
}

/* ---- life ---- */

/* Loads may begin at once, and must get the right engine. */
static void look_first(struct engines *e) {
    uv_loop_t loop;
    bool wait = *e->config.setting != ENGINE_CPU;
    uv_loop_init(&loop);
    e->starting = wait;
    for (size_t i = 0; i < FOR_GPUS; i++)
        look_at(e, for_gpus[i], wait ? &loop : e->config.loop);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    choose(e);
    e->starting = false;
}

struct engines *engines_new(const struct engines_config *config) {
    struct engines *e = xcalloc(1, sizeof *e);
    e->config = *config;
    e->program.path = config->worker;
    e->choice.kind = ENGINE_CPU;
    look_first(e);
    return e;
}

void engines_free(struct engines *e) {
    if (!e) return;
    e->gone = true;
    engines_unref(e);
}

const struct worker_program *engines_program(const struct engines *e) {
    return &e->program;
}

const struct engine_choice *engines_choice(const struct engines *e) {
    return &e->choice;
}

const struct engine_state *engines_state(const struct engines *e, enum engine_kind kind) {
    return &e->variants[kind].state;
}
