/* SPDX-License-Identifier: MIT */
#include "daemon/watch.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

enum {
    MAX_FOLDERS = 512,
    MAX_DEPTH = 4,
    /* A file that is being copied changes all the time: look when it has been quiet for so long. */
    QUIET_MS = 500,
};

struct watch {
    uv_loop_t *loop;
    const char *const *dirs;
    size_t dir_count;
    void (*on_scanned)(void *ctx, struct catalog *catalog);
    void *ctx;
    uv_timer_t quiet;
    uv_work_t work;
    bool scanning, again, closing;
    struct catalog *scanned;
    uv_fs_event_t *folders[MAX_FOLDERS];
    char *paths[MAX_FOLDERS]; /* found by the scan, to be watched after it */
    size_t folder_count, path_count;
};

/* ---- on the pool thread ---- */

static void collect(struct watch *w, const char *path, int depth) {
    DIR *dir = opendir(path);
    if (!dir) return;
    if (w->path_count < MAX_FOLDERS) w->paths[w->path_count++] = xstrdup(path);
    struct dirent *entry;
    while (depth < MAX_DEPTH && w->path_count < MAX_FOLDERS && (entry = readdir(dir))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.') continue;
        char *child = xasprintf("%s/%s", path, entry->d_name);
        collect(w, child, depth + 1);
        free(child);
    }
    closedir(dir);
}

static void scan(uv_work_t *work) {
    struct watch *w = work->data;
    w->path_count = 0;
    for (size_t i = 0; i < w->dir_count; i++) collect(w, w->dirs[i], 0);
    w->scanned = catalog_scan(w->dirs, w->dir_count);
}

/* ---- on the loop ---- */

static void on_changed(uv_fs_event_t *event, const char *name, int events, int status) {
    struct watch *w = event->data;
    (void)name;
    (void)events;
    (void)status;
    uv_timer_again(&w->quiet);
}

static void on_folder_closed(uv_handle_t *handle) {
    free(handle);
}

static void unwatch_all(struct watch *w) {
    for (size_t i = 0; i < w->folder_count; i++) {
        uv_close((uv_handle_t *)w->folders[i], on_folder_closed);
    }
    w->folder_count = 0;
}

static void watch_folder(struct watch *w, const char *path) {
    uv_fs_event_t *event = xcalloc(1, sizeof *event);
    uv_fs_event_init(w->loop, event);
    event->data = w;
    if (uv_fs_event_start(event, on_changed, path, 0) < 0) {
        uv_close((uv_handle_t *)event, on_folder_closed);
        return;
    }
    w->folders[w->folder_count++] = event;
}

static void take_paths(struct watch *w) {
    unwatch_all(w);
    for (size_t i = 0; i < w->path_count; i++) {
        if (!w->closing) watch_folder(w, w->paths[i]);
        free(w->paths[i]);
    }
    w->path_count = 0;
}

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void on_scan_done(uv_work_t *work, int status) {
    struct watch *w = work->data;
    (void)status;
    w->scanning = false;
    take_paths(w);
    if (w->closing) {
        catalog_free(w->scanned);
        uv_close((uv_handle_t *)&w->quiet, on_closed);
        return;
    }
    w->on_scanned(w->ctx, w->scanned);
    w->scanned = NULL;
    if (w->again) watch_rescan(w);
}

void watch_rescan(struct watch *w) {
    w->again = w->scanning;
    if (w->scanning) return;
    w->scanning = true;
    uv_queue_work(w->loop, &w->work, scan, on_scan_done);
}

static void on_quiet(uv_timer_t *timer) {
    uv_timer_stop(timer);
    watch_rescan(timer->data);
}

struct watch *watch_new(uv_loop_t *loop, const char *const *dirs, size_t dir_count,
                        void (*on_scanned)(void *ctx, struct catalog *catalog), void *ctx) {
    struct watch *w = xcalloc(1, sizeof *w);
    w->loop = loop;
    w->dirs = dirs;
    w->dir_count = dir_count;
    w->on_scanned = on_scanned;
    w->ctx = ctx;
    w->work.data = w;
    uv_timer_init(loop, &w->quiet);
    w->quiet.data = w;
    uv_timer_start(&w->quiet, on_quiet, QUIET_MS,
                   QUIET_MS); /* sets the repeat for uv_timer_again */
    uv_timer_stop(&w->quiet);
    for (size_t i = 0; i < dir_count; i++) collect(w, dirs[i], 0);
    take_paths(w);
    return w;
}

void watch_close(struct watch *w) {
    unwatch_all(w);
    uv_timer_stop(&w->quiet);
    w->closing = true;
    if (!w->scanning) uv_close((uv_handle_t *)&w->quiet, on_closed);
}
