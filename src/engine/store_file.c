/* SPDX-License-Identifier: MIT */
/* store_file.c - the prompt store's files: scanned, read, written. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/store.h"

/* Between two pieces of a file the writer looks whether it may go on. */
enum { PIECE = 8 << 20 };

static bool open_dir(struct store *store) {
    if (store->dir >= 0) return true;
    store->dir = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return store->dir >= 0;
}

static void name_of(const struct store_entry *entry, char ret[ENTRY_NAME_SIZE]) {
    entry_name(&entry->header, ret);
}

/* ---- reading ---- */

struct found {
    char name[ENTRY_NAME_SIZE];
    int64_t used;
};

static int newest_first(const void *a, const void *b) {
    const struct found *x = a, *y = b;
    return (x->used < y->used) - (x->used > y->used);
}

/* All that have a name of ours. The caller frees. */
static struct found *list_files(const struct store *store, size_t *ret_count) {
    struct found *list = NULL;
    size_t count = 0, cap = 0;
    int fd = openat(store->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir && fd >= 0) close(fd);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        struct stat st;
        if (!entry_is_name(d->d_name)) continue;
        if (fstatat(store->dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (!S_ISREG(st.st_mode)) continue;
        if (count == cap) {
            cap = cap ? cap * 2 : 32;
            list = xrealloc(list, cap * sizeof *list);
        }
        list[count].used = clock_msec(st.st_mtim);
        memcpy(list[count++].name, d->d_name, ENTRY_NAME_SIZE); /* its length is known */
    }
    if (dir) closedir(dir);
    *ret_count = count;
    return list;
}

enum verdict { VERDICT_GOOD, VERDICT_BAD, VERDICT_OTHER };

static bool read_tokens(int fd, struct store_entry *entry) {
    size_t size = entry->header.tokens * sizeof(llama_token);
    entry->tokens.data = malloc(size);
    if (!entry->tokens.data) return false;
    entry->tokens.cap = entry->tokens.count = entry->header.tokens;
    return pread(fd, entry->tokens.data, size, ENTRY_HEADER_SIZE) == (ssize_t)size &&
           entry_sum(entry->tokens.data, size) == entry->header.tokens_sum;
}

/* Half of the fingerprint is the file and the engine: what was made with another will never be
 * of use. The other half is the settings, which another worker of the model may have. */
static enum verdict judge(const struct store *store, int fd, const char *name,
                          struct store_entry *entry) {
    unsigned char bytes[ENTRY_HEADER_SIZE];
    char proper[ENTRY_NAME_SIZE];
    struct stat st;
    if (fstat(fd, &st) != 0) return VERDICT_OTHER;
    ssize_t n = pread(fd, bytes, sizeof bytes, 0);
    if (n < 0) return VERDICT_OTHER;
    if (!entry_parse(bytes, (size_t)n, (uint64_t)st.st_size, &entry->header))
        return VERDICT_BAD;
    const unsigned char *made = entry->header.fingerprint, *own = store->fingerprint;
    enum { HALF = FINGERPRINT_SIZE / 2 };
    entry_name(&entry->header, proper);
    if (strcmp(proper, name) != 0 || memcmp(made, own, HALF) != 0) return VERDICT_BAD;
    if (memcmp(made + HALF, own + HALF, HALF) != 0) return VERDICT_OTHER;
    return read_tokens(fd, entry) ? VERDICT_GOOD : VERDICT_BAD;
}

/* How many tokens the entry has; 0: it is none. */
static size_t read_file(struct store *store, const struct found *file) {
    int fd = openat(store->dir, file->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return 0;
    struct store_entry *entry = xcalloc(1, sizeof *entry);
    entry->on_disk = true;
    entry->used = file->used;
    enum verdict verdict = judge(store, fd, file->name, entry);
    close(fd);
    if (verdict == VERDICT_GOOD) {
        store_add(store, entry);
        return entry->tokens.count;
    }
    store_entry_free(entry);
    if (verdict == VERDICT_OTHER) store->others++;
    if (verdict == VERDICT_BAD) (void)unlinkat(store->dir, file->name, 0);
    return 0;
}

void store_scan(struct store *store) {
    store->scanned = true;
    if (store->mode != PROMPT_STORE_ON || !open_dir(store)) return;
    size_t count = 0;
    struct found *list = list_files(store, &count);
    if (count > 1) qsort(list, count, sizeof *list, newest_first);
    if (count > STORE_MAX_FILES) count = STORE_MAX_FILES;
    size_t tokens = 0;
    for (size_t i = 0; i < count && tokens < STORE_MAX_TOKENS; i++) {
        tokens += read_file(store, &list[i]);
    }
    free(list);
}

/* The whole file is mapped: the body does not begin on a page. */
const unsigned char *store_map(struct store *store, const struct store_entry *entry,
                               bool *ret_damaged) {
    char name[ENTRY_NAME_SIZE];
    struct stat st;
    size_t size = entry_file_size(&entry->header);
    name_of(entry, name);
    int fd = openat(store->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return NULL;
    bool whole = fstat(fd, &st) == 0 && (uint64_t)st.st_size == size;
    unsigned char *map = whole ? mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0)
                               : MAP_FAILED;
    close(fd);
    if (map == MAP_FAILED) {
        *ret_damaged = !whole;
        return NULL;
    }
    const unsigned char *body = map + entry_body_offset(&entry->header);
    if (entry_sum(body, entry_body_size(&entry->header)) == entry->header.body_sum) return body;
    store_unmap(entry, body);
    *ret_damaged = true;
    return NULL;
}

void store_unmap(const struct store_entry *entry, const unsigned char *body) {
    uintptr_t map = (uintptr_t)body - entry_body_offset(&entry->header);
    munmap((void *)map, entry_file_size(&entry->header));
}

/* ---- writing ---- */

static bool write_bytes(int fd, const void *bytes, size_t len, bool (*go_on)(void *ctx),
                        void *ctx) {
    const char *at = bytes;
    while (len > 0) {
        if (!go_on(ctx)) {
            errno = ECANCELED;
            return false;
        }
        ssize_t n = write(fd, at, len < PIECE ? len : PIECE);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

/* The store never takes more than half of what is free. */
static bool has_room(const struct store *store, uint64_t size) {
    struct statvfs fs;
    if (fstatvfs(store->dir, &fs) != 0) return true; /* the write will tell */
    if (size <= (uint64_t)fs.f_bavail * fs.f_frsize / 2) return true;
    errno = ENOSPC;
    return false;
}

static bool write_parts(int fd, const struct store_entry *entry, bool (*go_on)(void *ctx),
                        void *ctx) {
    unsigned char header[ENTRY_HEADER_SIZE];
    entry_format(&entry->header, header);
    return write_bytes(fd, header, sizeof header, go_on, ctx) &&
           write_bytes(fd, entry->tokens.data, entry->tokens.count * sizeof(llama_token), go_on,
                       ctx) &&
           write_bytes(fd, entry->body, entry_body_size(&entry->header), go_on, ctx);
}

/* The folder was made before the sandbox was entered, which forbids that. */
static bool folder_is_gone(const struct store *store, int why) {
    struct stat st;
    if (store->dir < 0) return why == ENOENT;
    return fstat(store->dir, &st) == 0 && st.st_nlink == 0;
}

static bool write_failed(const struct store *store, struct error *err) {
    int why = errno;
    if (folder_is_gone(store, why)) {
        return error_set(err, ERR_IO,
                         "A processed prompt cannot be kept because the folder %.120s is gone; "
                         "reload the model, which makes it again.",
                         store->path);
    }
    return error_set(
        err, ERR_IO,
        "A processed prompt cannot be kept in %.120s (%s); make room there or switch "
        "the setting prompt_store off.",
        store->path, strerror(why));
}

bool store_write(struct store *store, struct store_entry *entry, bool (*go_on)(void *ctx),
                 void *ctx, struct error *err) {
    char name[ENTRY_NAME_SIZE], fresh[ENTRY_NAME_SIZE + 32];
    if (!open_dir(store) || !has_room(store, entry_file_size(&entry->header))) {
        return write_failed(store, err);
    }
    entry->header.body_sum = entry_sum(entry->body, entry_body_size(&entry->header));
    name_of(entry, name);
    snprintf(fresh, sizeof fresh, ENTRY_UNFINISHED "%d-%s", (int)getpid(), name);
    int fd = openat(store->dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                    0600);
    if (fd < 0) return write_failed(store, err);
    bool ok = write_parts(fd, entry, go_on, ctx);
    int why = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    errno = why;
    ok = ok && renameat(store->dir, fresh, store->dir, name) == 0;
    if (!ok) {
        (void)write_failed(store, err);
        (void)unlinkat(store->dir, fresh, 0);
        return false;
    }
    entry->on_disk = true;
    store->saves++;
    return true;
}

void store_delete(struct store *store, const struct store_entry *entry) {
    char name[ENTRY_NAME_SIZE];
    name_of(entry, name);
    (void)unlinkat(store->dir, name, 0);
}

/* The file's time says when it was last used. */
void store_file_touch(struct store *store, const struct store_entry *entry) {
    char name[ENTRY_NAME_SIZE];
    name_of(entry, name);
    (void)utimensat(store->dir, name, NULL, AT_SYMLINK_NOFOLLOW);
}
