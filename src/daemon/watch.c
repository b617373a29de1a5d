/* SPDX-License-Identifier: MIT */
#include "daemon/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "catalog/walk.h"

enum {
    MAX_FOLDERS = 4096,
    /* A file that is being copied changes all the time: scan when nothing changed for this
       long. */
    QUIET_MS = 500,
};

/* A watched folder. Owned by the loop from start to close. */
struct folder {
    uv_fs_event_t event; /* first: a handle is freed as its folder */
    struct watch *watch;
    char *path;
    char *awaited; /* the only entry that matters; NULL: any (see found_folder) */
};

/* Somebody who waits for a scan. */
struct waiter {
    void (*on_done)(void *ctx);
    void *ctx;
    struct waiter *next;
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
    struct found found; /* of the last walk; its folders are not watched yet */
    struct catalog *scanned;
    struct folder **folders; /* by path */
    size_t folder_count;
    struct waiter *waiting; /* for the next scan */
    struct waiter *served;  /* by the running one */
};

/* ---- on the pool thread ---- */

static void walk_work(uv_work_t *work) {
    struct watch *w = work->data;
    found_clear(&w->found);
    walk_folders(w->dirs, w->dir_count, &w->found);
}

static void scan_work(uv_work_t *work) {
    struct watch *w = work->data;
    w->scanned = catalog_scan(w->dirs, w->dir_count);
}

/* ---- on the loop: the folders ---- */

/* What happens to the folder itself comes with the folder's own name. */
static bool folder_is_concerned(const struct folder *folder, const char *name) {
    const char *slash = strrchr(folder->path, '/');
    return !folder->awaited || !name || strcmp(name, folder->awaited) == 0 ||
           (slash && strcmp(name, slash + 1) == 0);
}

static void folder_on_change(uv_fs_event_t *event, const char *name, int events, int status) {
    struct folder *folder = (struct folder *)event;
    (void)events;
    (void)status;
    if (folder_is_concerned(folder, name)) uv_timer_again(&folder->watch->quiet);
}

/* A folder that the system has no watch left for stays in the list, so that it is not new. */
static struct folder *folder_new(struct watch *w, const struct found_folder *found) {
    struct folder *folder = xcalloc(1, sizeof *folder);
    folder->watch = w;
    folder->path = xstrdup(found->path);
    folder->awaited = found->awaited ? xstrdup(found->awaited) : NULL;
    uv_fs_event_init(w->loop, &folder->event);
    (void)uv_fs_event_start(&folder->event, folder_on_change, found->path, 0);
    return folder;
}

static void folder_on_closed(uv_handle_t *handle) {
    struct folder *folder = (struct folder *)handle;
    free(folder->path);
    free(folder->awaited);
    free(folder);
}

static void unwatch_all(struct watch *w) {
    for (size_t i = 0; i < w->folder_count; i++) {
        uv_close((uv_handle_t *)&w->folders[i]->event, folder_on_closed);
    }
    free(w->folders);
    w->folders = NULL;
    w->folder_count = 0;
}

static int by_path(const void *a, const void *b) {
    const struct folder *const *x = a, *const *y = b;
    return strcmp((*x)->path, (*y)->path);
}

/* A parent that was watched for one entry and is now looked into counts as new. */
static bool was_watched(const struct watch *w, struct folder *folder) {
    struct folder **old = w->folder_count ? bsearch(&folder, w->folders, w->folder_count,
                                                    sizeof(struct folder *), by_path)
                                          : NULL;
    return old && !(*old)->awaited == !folder->awaited;
}

/* Watch the folders of the last walk; true if one of them was not watched before. The new
 * watches begin before the old ones end, so that nothing is missed, and all of them are new: a
 * folder that was deleted and made again has the same path. */
static bool watch_found(struct watch *w) {
    size_t count = w->found.folder_count < MAX_FOLDERS ? w->found.folder_count : MAX_FOLDERS;
    struct folder **next = xcalloc(count, sizeof(struct folder *));
    bool fresh = false;
    for (size_t i = 0; i < count; i++) {
        next[i] = folder_new(w, &w->found.folders[i]);
        fresh = fresh || !was_watched(w, next[i]);
    }
    if (count) qsort(next, count, sizeof(struct folder *), by_path);
    unwatch_all(w);
    w->folders = next;
    w->folder_count = count;
    found_clear(&w->found);
    return fresh;
}

/* ---- on the loop: a scan ---- */

/* A sink may begin the next scan. */
static void tell_waiters(struct waiter **list) {
    struct waiter *next = *list;
    *list = NULL;
    while (next) {
        struct waiter *waiter = next;
        next = waiter->next;
        waiter->on_done(waiter->ctx);
        free(waiter);
    }
}

static void watch_on_closed(uv_handle_t *handle) {
    free(handle->data);
}

static void watch_end(struct watch *w) {
    unwatch_all(w);
    tell_waiters(&w->served);
    tell_waiters(&w->waiting);
    found_clear(&w->found);
    catalog_free(w->scanned);
    uv_close((uv_handle_t *)&w->quiet, watch_on_closed);
}

static void watch_on_scanned(uv_work_t *work, int status) {
    struct watch *w = work->data;
    (void)status;
    w->scanning = false;
    if (w->closing) {
        watch_end(w);
        return;
    }
    struct catalog *scanned = w->scanned;
    w->scanned = NULL;
    w->on_scanned(w->ctx, scanned);
    tell_waiters(&w->served);
    if (w->again) watch_rescan(w);
}

/* A new folder may have got a folder of its own before it was watched, so walk until there is
 * no new one. Only then read the files: what is added from here on is an event. */
static void watch_on_walked(uv_work_t *work, int status) {
    struct watch *w = work->data;
    (void)status;
    if (w->closing) {
        watch_end(w);
    } else if (watch_found(w)) {
        uv_queue_work(w->loop, &w->work, walk_work, watch_on_walked);
    } else {
        uv_queue_work(w->loop, &w->work, scan_work, watch_on_scanned);
    }
}

void watch_rescan(struct watch *w) {
    w->again = w->scanning;
    if (w->scanning) return;
    w->scanning = true;
    w->served = w->waiting;
    w->waiting = NULL;
    uv_queue_work(w->loop, &w->work, walk_work, watch_on_walked);
}

void watch_scan(struct watch *w, void (*on_done)(void *ctx), void *ctx) {
    struct waiter *waiter = xcalloc(1, sizeof *waiter);
    *waiter = (struct waiter){ on_done, ctx, w->waiting };
    w->waiting = waiter;
    watch_rescan(w);
}

static void watch_on_quiet(uv_timer_t *timer) {
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
    uv_timer_start(&w->quiet, watch_on_quiet, QUIET_MS, QUIET_MS); /* for uv_timer_again */
    uv_timer_stop(&w->quiet);
    do {
        walk_folders(w->dirs, w->dir_count, &w->found);
    } while (watch_found(w));
    return w;
}

void watch_close(struct watch *w) {
    if (!w) return;
    unwatch_all(w);
    uv_timer_stop(&w->quiet);
    w->closing = true;
    if (!w->scanning) watch_end(w);
}
