/* SPDX-License-Identifier: MIT */
#include "daemon/watch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"

enum {
    MAX_FOLDERS = 512,
    MAX_DEPTH = 4,
    /* A file that is being copied changes all the time: look when it has been quiet for so
       long. */
    QUIET_MS = 500,
};

struct folder {
    char *path;
    uv_fs_event_t *event; /* NULL: the system has no watch left for it */
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
    struct folder folders[MAX_FOLDERS]; /* that are watched */
    char *found[MAX_FOLDERS];           /* that are there */
    size_t folder_count, found_count;
};

/* ---- on the pool thread ---- */

static bool is_folder(DIR *dir, const struct dirent *entry) {
    struct stat st;
    if (entry->d_name[0] == '.') return false;
    if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_DIR; /* XFS, NFS do not say */
    return fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(st.st_mode);
}

static void collect_below(struct watch *w, const char *path, int depth) {
    DIR *dir = opendir(path);
    if (!dir) return;
    if (w->found_count < MAX_FOLDERS) w->found[w->found_count++] = xstrdup(path);
    struct dirent *entry;
    while (depth < MAX_DEPTH && w->found_count < MAX_FOLDERS && (entry = readdir(dir))) {
        if (!is_folder(dir, entry)) continue;
        char *child = xasprintf("%s/%s", path, entry->d_name);
        collect_below(w, child, depth + 1);
        free(child);
    }
    closedir(dir);
}

static void collect(struct watch *w) {
    for (size_t i = 0; i < w->dir_count; i++) collect_below(w, w->dirs[i], 0);
}

static void collect_work(uv_work_t *work) {
    collect(work->data);
}

static void scan_work(uv_work_t *work) {
    struct watch *w = work->data;
    w->scanned = catalog_scan(w->dirs, w->dir_count);
}

/* ---- on the loop: the folders ---- */

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

static uv_fs_event_t *watch_folder(struct watch *w, const char *path) {
    uv_fs_event_t *event = xcalloc(1, sizeof *event);
    uv_fs_event_init(w->loop, event);
    event->data = w;
    if (uv_fs_event_start(event, on_changed, path, 0) == 0) return event;
    uv_close((uv_handle_t *)event, on_folder_closed);
    return NULL;
}

static void folder_clear(struct folder *folder) {
    if (folder->event) uv_close((uv_handle_t *)folder->event, on_folder_closed);
    free(folder->path);
}

static void unwatch_all(struct watch *w) {
    for (size_t i = 0; i < w->folder_count; i++) folder_clear(&w->folders[i]);
    w->folder_count = 0;
}

static bool is_watched(const struct watch *w, const char *path) {
    for (size_t i = 0; i < w->folder_count; i++) {
        if (strcmp(w->folders[i].path, path) == 0) return true;
    }
    return false;
}

/* Watch what was found; true if some of it was not watched before. The new watches begin before
 * the old ones end, so that nothing is missed; one of a folder that was made anew is a new one.
 */
static bool watch_found(struct watch *w) {
    struct folder next[MAX_FOLDERS] = { 0 };
    size_t count = w->found_count;
    bool fresh = false;
    for (size_t i = 0; i < count; i++) {
        fresh = fresh || !is_watched(w, w->found[i]);
        next[i] = (struct folder){ w->found[i], watch_folder(w, w->found[i]) };
    }
    unwatch_all(w);
    memcpy(w->folders, next, count * sizeof next[0]);
    w->folder_count = count;
    w->found_count = 0;
    return fresh;
}

/* ---- on the loop: a scan ---- */

static void on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void end(struct watch *w) {
    unwatch_all(w);
    for (size_t i = 0; i < w->found_count; i++) free(w->found[i]);
    catalog_free(w->scanned);
    uv_close((uv_handle_t *)&w->quiet, on_closed);
}

static void on_scan_done(uv_work_t *work, int status) {
    struct watch *w = work->data;
    (void)status;
    w->scanning = false;
    if (w->closing) {
        end(w);
        return;
    }
    struct catalog *scanned = w->scanned;
    w->scanned = NULL;
    w->on_scanned(w->ctx, scanned);
    if (w->again) watch_rescan(w);
}

/* Folders are looked into again, and files read, only when the folders are watched: what comes
 * later is an event. */
static void on_collected(uv_work_t *work, int status) {
    struct watch *w = work->data;
    (void)status;
    if (w->closing)
        end(w);
    else if (watch_found(w))
        uv_queue_work(w->loop, &w->work, collect_work, on_collected);
    else
        uv_queue_work(w->loop, &w->work, scan_work, on_scan_done);
}

void watch_rescan(struct watch *w) {
    w->again = w->scanning;
    if (w->scanning) return;
    w->scanning = true;
    uv_queue_work(w->loop, &w->work, collect_work, on_collected);
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
    do {
        collect(w);
    } while (watch_found(w));
    return w;
}

void watch_close(struct watch *w) {
    if (!w) return;
    unwatch_all(w);
    uv_timer_stop(&w->quiet);
    w->closing = true;
    if (!w->scanning) end(w);
}
