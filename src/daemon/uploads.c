/* SPDX-License-Identifier: MIT */
#include "daemon/uploads.h"

#include <nettle/base64.h>
#include <stdlib.h>
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "base/xalloc.h"

struct upload {
    const char *source; /* what it is read from, until it is put */
    size_t len;         /* of that */
    char *identifier, *name;
    char *base64; /* NULL: it is not read, or not base64 */
    char *text;   /* NULL: not a text */
    const char *type, *mime;
    size_t size;
    struct byte_hold held;
    int users;   /* requests that are made of it */
    bool listed; /* can be found */
};

struct uploads {
    struct upload *files[UPLOADS_MAX]; /* oldest first */
    int count;
    uint64_t made;
    struct byte_budget *budget;
};

static void upload_free(struct upload *file) {
    byte_hold_release(&file->held);
    free(file->identifier);
    free(file->name);
    free(file->base64);
    free(file->text);
    free(file);
}

/* It is no longer found; its users keep it until uploads_release. */
static void drop(struct uploads *u, int index) {
    struct upload *file = u->files[index];
    u->count--;
    memmove(u->files + index, u->files + index + 1,
            (size_t)(u->count - index) * sizeof(struct upload *));
    file->listed = false;
    if (file->users == 0) upload_free(file);
}

/* The oldest that nobody uses; there is one, or none would yield. */
static void uploads_give_way(void *ctx) {
    struct uploads *u = ctx;
    int oldest = 0;
    while (u->files[oldest]->users > 0) oldest++;
    drop(u, oldest);
}

void uploads_hold(const struct lmws_file *file) {
    struct upload *held = file->owner;
    held->users++;
    byte_hold_stay(&held->held);
}

void uploads_release(const struct lmws_file *file) {
    struct upload *held = file->owner;
    if (--held->users > 0) return;
    if (held->listed)
        byte_hold_yield(&held->held);
    else
        upload_free(held);
}

struct uploads *uploads_new(struct byte_budget *budget) {
    struct uploads *uploads = xcalloc(1, sizeof *uploads);
    uploads->budget = budget;
    if (!budget) return uploads;
    budget->give_way = uploads_give_way;
    budget->ctx = uploads;
    return uploads;
}

void uploads_free(struct uploads *uploads) {
    if (!uploads) return;
    while (uploads->count > 0) drop(uploads, 0);
    if (uploads->budget) uploads->budget->give_way = NULL;
    free(uploads);
}

/* The caller frees; NULL if it is not base64. A NUL follows the bytes. */
static unsigned char *decode(const char *text, size_t len, size_t *ret_len) {
    struct base64_decode_ctx base64;
    *ret_len = BASE64_DECODE_LENGTH(len);
    unsigned char *bytes = xcalloc(*ret_len + 1, 1);
    base64_decode_init(&base64);
    if (base64_decode_update(&base64, ret_len, bytes, len, text) &&
        base64_decode_final(&base64)) {
        bytes[*ret_len] = '\0';
        return bytes;
    }
    free(bytes);
    return NULL;
}

/* ---- what a file is ---- */

/* Bytes at the file's beginning. */
static const struct {
    const char *magic;
    size_t len;
    const char *type, *mime;
} magics[] = {
    { "\x89PNG\r\n\x1a\n", 8, "image", "image/png" },
    { "\xff\xd8\xff", 3, "image", "image/jpeg" },
    { "GIF8", 4, "image", "image/gif" },
    { "BM", 2, "image", "image/bmp" },
    { "%PDF-", 5, "application/pdf", "" },
};

static bool has_suffix(const struct upload *file, const char *suffix) {
    return ascii_ends_with(file->name, strlen(file->name), suffix);
}

/* UTF-8 without NUL. */
static bool is_text(const char *bytes, size_t len) {
    return !memchr(bytes, '\0', len) && utf8_is_valid(bytes, len);
}

/* Is it a text? */
static bool recognise(struct upload *file, const unsigned char *bytes) {
    size_t len = file->size;
    file->type = "unknown";
    file->mime = "";
    for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++) {
        if (len < magics[i].len || memcmp(bytes, magics[i].magic, magics[i].len) != 0) continue;
        file->type = magics[i].type;
        file->mime = magics[i].mime;
        return false;
    }
    if (len >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0) {
        file->type = "image";
        file->mime = "image/webp";
    } else if (has_suffix(file, ".docx")) {
        file->type = "application/word";
    } else if (is_text((const char *)bytes, len)) {
        file->type = has_suffix(file, ".txt") ? "text/plain" : "text/other";
        return true;
    }
    return false;
}

static struct lmws_file show(struct upload *file) {
    return (struct lmws_file){ .identifier = file->identifier,
                               .name = file->name,
                               .type = file->type,
                               .mime = file->mime,
                               .base64 = file->base64,
                               .text = file->text,
                               .size = file->size,
                               .owner = file };
}

/* A text keeps its bytes besides their base64. */
static size_t cost_of(size_t len) {
    return len + BASE64_DECODE_LENGTH(len);
}

void upload_read(struct upload *file) {
    unsigned char *bytes = decode(file->source, file->len, &file->size);
    if (!bytes) return;
    if (recognise(file, bytes))
        file->text = (char *)bytes;
    else
        free(bytes);
    file->base64 = xstrndup(file->source, file->len);
}

/* Takes the file. */
static void list(struct uploads *uploads, struct upload *file) {
    file->identifier = xasprintf("file-%llu", (unsigned long long)++uploads->made);
    file->listed = true;
    if (uploads->count == UPLOADS_MAX) drop(uploads, 0);
    uploads->files[uploads->count++] = file;
}

struct upload *uploads_begin(struct uploads *uploads, const char *name, const char *base64,
                             size_t own, struct error *err) {
    size_t len = strlen(base64);
    struct byte_hold held;
    if (len > UPLOAD_BYTES_MAX) {
        error_set(err, ERR_TOO_LARGE, "'%.80s' is too large; send at most %d MB.", name,
                  UPLOAD_BYTES_MAX / 4 * 3 / 1000000);
        return NULL;
    }
    if (!byte_hold_take(uploads->budget, cost_of(len), own, &held, err)) return NULL;
    struct upload *file = xcalloc(1, sizeof *file);
    *file =
        (struct upload){ .source = base64, .len = len, .name = xstrdup(name), .held = held };
    return file;
}

bool uploads_put(struct uploads *uploads, struct upload *file, struct lmws_file *ret,
                 struct error *err) {
    size_t needed = file->len + (file->text ? file->size : 0);
    if (!file->base64) {
        error_set(err, ERR_INVALID_REQUEST,
                  "The content of '%.80s' is not base64; send the file again.", file->name);
        upload_free(file);
        return false;
    }
    struct byte_hold unused = byte_hold_split(&file->held, cost_of(file->len) - needed);
    byte_hold_release(&unused);
    byte_hold_yield(&file->held);
    file->source = NULL;
    list(uploads, file);
    *ret = show(file);
    return true;
}

bool uploads_find(const struct uploads *uploads, const char *identifier,
                  struct lmws_file *ret) {
    for (int i = 0; i < uploads->count; i++) {
        if (strcmp(uploads->files[i]->identifier, identifier) != 0) continue;
        *ret = show(uploads->files[i]);
        return true;
    }
    return false;
}
