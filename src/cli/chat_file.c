/* SPDX-License-Identifier: MIT */
#include "cli/chat_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/dirs.h"
#include "base/json.h"
#include "base/user_dirs.h"
#include "base/xalloc.h"

enum { MAX_FILE = 64 << 20, CHUNK = 1 << 16 };

char *chat_file_path(const char *name) {
    if (strchr(name, '/')) return xstrdup(name);
    char *folder = user_dir("XDG_DATA_HOME", ".local/share", "doze/chats");
    char *path = xasprintf("%s/%s.json", folder, name);
    free(folder);
    return path;
}

static bool fail_file(const char *what, const char *path, struct error *err) {
    return error_set(err, ERR_IO, "%.120s cannot be %s: %s.", path, what, strerror(errno));
}

static bool write_all(int fd, const struct buf *text) {
    for (size_t at = 0; at < text->len;) {
        ssize_t put = write(fd, text->data + at, text->len - at);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return false;
        at += (size_t)put;
    }
    return fsync(fd) == 0;
}

/* Written beside the path first, so that a full disk leaves what was there. */
static bool replace_file(const char *path, const struct buf *text, struct error *err) {
    char *beside = xasprintf("%s.new", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write_all(fd, text);
    if (fd >= 0) written = close(fd) == 0 && written;
    if (written) written = rename(beside, path) == 0;
    if (!written) {
        fail_file("written", path, err);
        if (fd >= 0) unlink(beside);
    }
    free(beside);
    return written;
}

bool chat_file_write(const char *path, const yyjson_mut_doc *doc, struct error *err) {
    struct buf text = BUF_INIT(MAX_FILE);
    bool saved = false;
    if (!json_write(doc, &text) || !buf_add_str(&text, "\n")) {
        error_set(err, ERR_TOO_LARGE, "The conversation is larger than %d MB.",
                  MAX_FILE / 1000000);
    } else {
        saved = dirs_make_parent(path, 0700, err) && replace_file(path, &text, err);
    }
    buf_clear(&text);
    return saved;
}

static bool read_all(const char *path, struct buf *text, struct error *err) {
    FILE *file = fopen(path, "re");
    if (!file) return fail_file("read", path, err);
    size_t got = 0;
    char *room;
    do {
        room = buf_reserve(text, CHUNK);
        got = room ? fread(room, 1, CHUNK, file) : 0;
        text->len += got;
    } while (got > 0);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed) return fail_file("read", path, err);
    return room || error_set(err, ERR_TOO_LARGE, "%.120s is larger than %d MB.", path,
                             MAX_FILE / 1000000);
}

static bool is_conversation(yyjson_val *root) {
    yyjson_val *messages = yyjson_obj_get(root, "messages"), *message;
    size_t i, max;
    yyjson_arr_foreach(messages, i, max, message) {
        if (!json_find_str(message, "role") || !json_find_str(message, "content")) return false;
    }
    return yyjson_is_arr(messages);
}

yyjson_doc *chat_file_read(const char *path, struct error *err) {
    struct buf text = BUF_INIT(MAX_FILE);
    struct error ignored;
    yyjson_doc *doc = NULL;
    bool read = read_all(path, &text, err);
    if (read) {
        doc = json_parse_object(buf_str(&text), text.len, &ignored);
        if (!is_conversation(yyjson_doc_get_root(doc))) {
            yyjson_doc_free(doc);
            doc = NULL;
            error_set(err, ERR_INVALID_REQUEST, "%.120s is not a saved conversation.", path);
        }
    }
    buf_clear(&text);
    return doc;
}
