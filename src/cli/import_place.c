/* SPDX-License-Identifier: MIT */
#include "cli/import_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/xalloc.h"

enum { CHUNK = 16 << 20 };

struct placing {
    const struct import_plan *plan;
    nbytes copied;
    void (*on_copied)(void *ctx, nbytes bytes);
    void *ctx;
    struct error *err;
};

static bool fail_at(const struct placing *p, const char *path) {
    return error_set(p->err, ERR_IO, "%.140s: %s.", path, strerror(errno));
}

/* copy_file_range shares the blocks where the file system can; read and write do where it
 * refuses. -1 with errno. */
static ssize_t copy_chunk(int in, int out, char *room) {
    ssize_t done = copy_file_range(in, NULL, out, NULL, CHUNK, 0);
    if (done >= 0 || (errno != EXDEV && errno != EINVAL && errno != ENOSYS)) return done;
    ssize_t got = read(in, room, CHUNK);
    for (ssize_t put = 0, at = 0; at < got; at += put) {
        put = write(out, room + at, (size_t)(got - at));
        if (put < 0) return -1;
    }
    return got;
}

static bool copy_bytes(struct placing *p, int in, int out) {
    char *room = xcalloc(1, CHUNK);
    ssize_t done;
    while ((done = copy_chunk(in, out, room)) != 0) {
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) break;
        p->copied += (nbytes)done;
        p->on_copied(p->ctx, p->copied);
    }
    free(room);
    return done == 0 && fsync(out) == 0;
}

/* Under a name that is no model's, until it is whole. */
static bool copy_file(struct placing *p, const struct import_file *file) {
    char *part = xasprintf("%s.import", file->to);
    int in = open(file->from, O_RDONLY | O_CLOEXEC);
    int out = in < 0 ? -1 : open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool ok = out >= 0 && copy_bytes(p, in, out);
    if (!ok) fail_at(p, in < 0 ? file->from : part);
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    if (ok && rename(part, file->to) != 0) ok = fail_at(p, file->to);
    if (!ok && out >= 0) unlink(part);
    free(part);
    return ok;
}

/* The copy of a move stays beside its source until all files are placed. */
static bool move_file(struct placing *p, const struct import_file *file) {
    if (rename(file->from, file->to) == 0) return true;
    if (errno != EXDEV) return fail_at(p, file->to);
    return copy_file(p, file);
}

static bool link_file(struct placing *p, const struct import_file *file, bool hard) {
    char *real = realpath(file->from, NULL);
    int done = !real ? -1 : hard ? link(real, file->to) : symlink(real, file->to);
    if (done != 0 && hard && errno == EXDEV) {
        error_set(p->err, ERR_IO, "%.120s is on another disk; use --copy or --symbolic-link.",
                  file->from);
    } else if (done != 0) {
        fail_at(p, file->to);
    }
    free(real);
    return done == 0;
}

static bool place_file(struct placing *p, const struct import_file *file) {
    if (file->there) return true;
    if (!dirs_make_parent(file->to, 0755, p->err)) return false;
    switch (p->plan->mode) {
    case IMPORT_MOVE:
        return move_file(p, file);
    case IMPORT_COPY:
        return copy_file(p, file);
    case IMPORT_HARD_LINK:
        return link_file(p, file, true);
    case IMPORT_SYMBOLIC_LINK:
        return link_file(p, file, false);
    }
    return false;
}

/* A moved file goes back; a copy or a link goes away. */
static void undo(const struct import_plan *plan, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct import_file *file = &plan->files[i];
        if (file->there) continue;
        if (access(file->from, F_OK) == 0)
            unlink(file->to);
        else
            (void)rename(file->to, file->from);
    }
}

/* The sources of what was moved by copying. One that was there already stays: its path may be
 * another name of the target. */
static void remove_sources(const struct import_plan *plan) {
    for (size_t i = 0; i < plan->count && plan->mode == IMPORT_MOVE; i++) {
        if (!plan->files[i].there) unlink(plan->files[i].from);
    }
}

bool import_place(const struct import_plan *plan, void (*on_copied)(void *ctx, nbytes bytes),
                  void *ctx, struct error *err) {
    struct placing p = { plan, 0, on_copied, ctx, err };
    for (size_t i = 0; i < plan->count; i++) {
        if (place_file(&p, &plan->files[i])) continue;
        undo(plan, i);
        return false;
    }
    remove_sources(plan);
    return true;
}
