/* SPDX-License-Identifier: MIT */
#include "hub/partial_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/file_sum.h"
#include "base/json.h"
#include "base/xalloc.h"

enum { STATE_MAX = 1 << 16, READ_AT_ONCE = 1 << 18, WRITE_EVERY = 32 << 20 };

static bool fail(struct partial_file *file, const char *what, struct error *err) {
    file->full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    if (file->full)
        return error_set(err, ERR_IO, "The disk is full: %s; make room, then resume.",
                         file->part);
    return error_set(err, ERR_IO, "Cannot %s %s: %s.", what, file->part, strerror(errno));
}

/* ---- the state ---- */

static bool state_agrees(const char *path, const struct partial_source *source) {
    struct buf text = BUF_INIT(STATE_MAX);
    struct error ignored;
    yyjson_doc *doc = NULL;
    if (file_read(path, &text, &ignored))
        doc = json_parse_object(buf_str(&text), text.len, &ignored);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *etag = json_find_str(root, "etag"), *sha256 = json_find_str(root, "sha256");
    bool same = etag && sha256 && strcmp(etag, source->etag) == 0 &&
                strcmp(sha256, source->sha256) == 0 &&
                yyjson_get_uint(yyjson_obj_get(root, "size")) == source->size;
    yyjson_doc_free(doc);
    buf_clear(&text);
    return same;
}

static bool state_write(struct partial_file *file, const struct partial_source *source,
                        struct error *err) {
    struct buf text = BUF_INIT(STATE_MAX);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "url", source->url);
    yyjson_mut_obj_add_str(doc, root, "etag", source->etag);
    yyjson_mut_obj_add_str(doc, root, "sha256", source->sha256);
    yyjson_mut_obj_add_uint(doc, root, "size", source->size);
    bool ok = json_write(doc, &text) &&
              file_replace(file->state, buf_str(&text), text.len, err);
    yyjson_mut_doc_free(doc);
    buf_clear(&text);
    return ok;
}

/* ---- the bytes ---- */

/* The checksum of what is there, which ends where the file's own size would be passed. */
static bool hash_what_is_there(struct partial_file *file, struct error *err) {
    char *bytes = xcalloc(1, READ_AT_ONCE);
    ssize_t count = 0;
    file->done = 0;
    sha256_init(&file->hash);
    while (file->done < file->size && (count = read(file->fd, bytes, READ_AT_ONCE)) > 0) {
        nbytes left = file->size - file->done;
        size_t used = (nbytes)count < left ? (size_t)count : (size_t)left;
        sha256_update(&file->hash, used, (const uint8_t *)bytes);
        file->done += used;
    }
    free(bytes);
    if (count < 0 || lseek(file->fd, (off_t)file->done, SEEK_SET) < 0 ||
        ftruncate(file->fd, (off_t)file->done) != 0)
        return fail(file, "read", err);
    return true;
}

bool partial_open(struct partial_file *file, const char *path,
                  const struct partial_source *source, struct error *err) {
    *file = (struct partial_file){ .path = xstrdup(path), .fd = -1, .size = source->size };
    file->part = xasprintf("%s.part", path);
    file->state = xasprintf("%s.part.json", path);
    (void)snprintf(file->sha256, sizeof file->sha256, "%s", source->sha256);
    bool known = state_agrees(file->state, source);
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (known ? 0 : O_TRUNC);
    file->fd = open(file->part, flags, 0644);
    if (file->fd < 0) return fail(file, "write", err);
    if (!known && !state_write(file, source, err)) return false;
    return hash_what_is_there(file, err);
}

void partial_close(struct partial_file *file) {
    if (file->path && file->fd >= 0) close(file->fd);
    free(file->path);
    free(file->part);
    free(file->state);
    *file = (struct partial_file){ .fd = -1 };
}

/* Let the disk begin with what has come, so that the sync at the end need not wait for all. */
static void begin_writing(struct partial_file *file, nbytes before) {
    if (before / WRITE_EVERY == file->done / WRITE_EVERY) return;
    (void)sync_file_range(file->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
}

bool partial_add(struct partial_file *file, const char *bytes, size_t len, struct error *err) {
    const nbytes before = file->done;
    if (len > file->size - file->done)
        return error_set(err, ERR_IO, "The hub sends more than the %llu bytes of %s.",
                         (unsigned long long)file->size, file->path);
    while (len > 0) {
        ssize_t count = write(file->fd, bytes, len);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return fail(file, "write", err);
        sha256_update(&file->hash, (size_t)count, (const uint8_t *)bytes);
        file->done += (nbytes)count;
        bytes += count;
        len -= (size_t)count;
    }
    begin_writing(file, before);
    return true;
}

bool partial_restart(struct partial_file *file, struct error *err) {
    if (lseek(file->fd, 0, SEEK_SET) < 0 || ftruncate(file->fd, 0) != 0)
        return fail(file, "write", err);
    file->done = 0;
    sha256_init(&file->hash);
    return true;
}

/* ---- the end ---- */

bool partial_is_whole(const struct partial_file *file) {
    return file->done == file->size;
}

static void format_sum(const struct partial_file *file, char ret[FILE_SUM_SIZE]) {
    struct sha256_ctx hash = file->hash;
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&hash, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

bool partial_is_right(const struct partial_file *file) {
    char sum[FILE_SUM_SIZE];
    if (!file->sha256[0]) return true;
    format_sum(file, sum);
    return strcmp(sum, file->sha256) == 0;
}

bool partial_sync(struct partial_file *file, struct error *err) {
    char sum[FILE_SUM_SIZE];
    format_sum(file, sum);
    file_sum_keep(file->fd, sum);
    return fsync(file->fd) == 0 || fail(file, "write", err);
}

bool partial_set_aside(struct partial_file *file, struct error *err) {
    char *wrong = xasprintf("%s.wrong", file->part);
    bool ok = rename(file->part, wrong) == 0;
    free(wrong);
    if (!ok) return fail(file, "rename", err);
    close(file->fd);
    file->fd = open(file->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_TRUNC, 0644);
    if (file->fd < 0) return fail(file, "write", err);
    return partial_restart(file, err);
}

bool partial_rename(const char *path, struct error *err) {
    return partial_rename_to(path, path, err);
}

bool partial_rename_to(const char *path, const char *to, struct error *err) {
    char *part = xasprintf("%s.part", path), *state = xasprintf("%s.part.json", path);
    bool ok = rename(part, to) == 0;
    if (ok) (void)unlink(state);
    if (!ok) error_set(err, ERR_IO, "Cannot rename %s: %s.", part, strerror(errno));
    free(part);
    free(state);
    return ok;
}

void partial_remove(const char *path) {
    static const char *const endings[] = { ".part", ".part.json", ".part.wrong" };
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char *name = xasprintf("%s%s", path, endings[i]);
        (void)unlink(name);
        free(name);
    }
}
