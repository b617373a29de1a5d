/* SPDX-License-Identifier: MIT */
#include "daemon/pressure_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base64.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "supervisor/pressure.h"

/* Linux's psi.rst: some task stalled for 200 ms of 2 s, systemd's default too. A user without
 * privileges may watch in steps of 2 s only. */
static const char usual_trigger[] = "some 200000 2000000";
static const char machine_file[] = "/proc/pressure/memory";

enum { TRIGGER_MAX = 128 };

/* Owned by the loop from its start to its close. */
struct source {
    uv_poll_t poll; /* first: a handle is freed as its source */
    struct pressure_watch *watch;
    int fd;
    bool fifo;      /* not a file of the kernel */
    uint64_t total; /* us that tasks have stalled for, at the last look */
};

enum { SOURCES_MAX = 2 };

struct pressure_watch {
    uv_loop_t *loop;
    void (*on_pressure)(void *ctx);
    void *ctx;
    char *named; /* by the environment; NULL: not */
    char trigger[TRIGGER_MAX];
    size_t trigger_len; /* what is to be written; a NUL is part of it if it is ours */
    struct source *sources[SOURCES_MAX];
    size_t count;
    bool on;
};

/* ---- one file ---- */

static void source_on_closed(uv_handle_t *handle) {
    struct source *source = (struct source *)handle;
    close(source->fd);
    free(source);
}

static void source_stop(struct source *source) {
    struct pressure_watch *w = source->watch;
    for (size_t i = 0; i < w->count; i++) {
        if (w->sources[i] == source) w->sources[i] = w->sources[--w->count];
    }
    uv_close((uv_handle_t *)&source->poll, source_on_closed);
}

/* A control group that is gone reports without end. */
static bool source_is_gone(const struct source *source) {
    struct pollfd again = { .fd = source->fd, .events = POLLPRI };
    return !source->fifo && poll(&again, 1, 0) == 1 && (again.revents & POLLERR);
}

/* What the trigger names; of another form: anything. */
static uint64_t least_stall(const struct pressure_watch *w) {
    char text[TRIGGER_MAX + 1] = "";
    unsigned long long least = 0;
    memcpy(text, w->trigger, w->trigger_len);
    return sscanf(text, "%*s %llu", &least) == 1 ? least : 0;
}

static bool is_true(struct source *source) {
    char text[512];
    ssize_t n = source->fifo ? 0 : pread(source->fd, text, sizeof text - 1, 0);
    if (n <= 0) return true;
    text[n] = '\0';
    return pressure_has_grown(text, least_stall(source->watch), &source->total);
}

static void source_on_event(uv_poll_t *poll_handle, int status, int events) {
    struct source *source = (struct source *)poll_handle;
    struct pressure_watch *w = source->watch;
    char bytes[256];
    if (source->fifo && status == 0) {
        if (read(source->fd, bytes, sizeof bytes) < 0) return;
    }
    if (status < 0 || source_is_gone(source))
        source_stop(source);
    else if (events && is_true(source))
        w->on_pressure(w->ctx);
}

static bool source_start(struct pressure_watch *w, int fd, bool fifo) {
    struct source *source = xcalloc(1, sizeof *source);
    *source = (struct source){ .watch = w, .fd = fd, .fifo = fifo };
    if (uv_poll_init(w->loop, &source->poll, fd) != 0) {
        free(source);
        return false;
    }
    w->sources[w->count++] = source;
    (void)is_true(source); /* the first look */
    uv_poll_start(&source->poll, fifo ? UV_READABLE : UV_PRIORITIZED, source_on_event);
    return true;
}

/* Opened for writing too, a FIFO has no end when its last writer goes. */
static void watch_file(struct pressure_watch *w, const char *path) {
    struct stat st = { 0 };
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    bool fifo = fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
    bool ok = fd >= 0 && (fifo || write(fd, w->trigger, w->trigger_len) >= 0);
    if (ok && source_start(w, fd, fifo)) {
        log_debug("memory pressure is watched in %s", path);
        return;
    }
    log_debug("memory pressure is not watched in %s: %s", path,
              ok ? "it cannot be polled" : strerror(errno));
    if (fd >= 0) close(fd);
}

/* ---- all of them ---- */

static bool is_fifo(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

/* The group's own file, unless the process is in the root group, which has the machine's. */
static void watch_group(struct pressure_watch *w) {
    struct cgroup group;
    char path[sizeof group.path + 32];
    cgroup_own(&group, "");
    if (strlen(group.path) <= group.top) return;
    cgroup_file(&group, "memory.pressure", path, sizeof path);
    watch_file(w, path);
}

/* The tasks of the group may not stall while others do, and then idle models should go as
 * well: so the machine is watched too. A given FIFO stands for both. */
static void watch_all(struct pressure_watch *w) {
    if (w->named && strcmp(w->named, "/dev/null") == 0) return;
    if (w->named)
        watch_file(w, w->named);
    else
        watch_group(w);
    if (!w->named || !is_fifo(w->named)) watch_file(w, machine_file);
}

void pressure_watch_enable(struct pressure_watch *watch, bool on) {
    if (watch->on == on) return;
    watch->on = on;
    if (on) watch_all(watch);
    while (!on && watch->count > 0) source_stop(watch->sources[0]);
}

/* If it is not base64, or too long, the default trigger is used. */
static void take_trigger(struct pressure_watch *w, const char *base64) {
    struct base64_decode_ctx ctx;
    uint8_t bytes[BASE64_DECODE_LENGTH(TRIGGER_MAX)];
    size_t len = sizeof bytes;
    base64_decode_init(&ctx);
    w->trigger_len = sizeof usual_trigger;
    memcpy(w->trigger, usual_trigger, sizeof usual_trigger);
    if (!base64 || strlen(base64) > TRIGGER_MAX) return;
    if (!base64_decode_update(&ctx, &len, bytes, strlen(base64), base64)) return;
    if (!base64_decode_final(&ctx) || len == 0) return;
    memcpy(w->trigger, bytes, len);
    w->trigger_len = len;
}

struct pressure_watch *pressure_watch_new(uv_loop_t *loop, void (*on_pressure)(void *ctx),
                                          void *ctx) {
    struct pressure_watch *w = xcalloc(1, sizeof *w);
    const char *named = getenv("MEMORY_PRESSURE_WATCH");
    w->loop = loop;
    w->on_pressure = on_pressure;
    w->ctx = ctx;
    w->named = named ? xstrdup(named) : NULL;
    take_trigger(w, getenv("MEMORY_PRESSURE_WRITE"));
    return w;
}

void pressure_watch_close(struct pressure_watch *watch) {
    if (!watch) return;
    pressure_watch_enable(watch, false);
    free(watch->named);
    free(watch);
}
