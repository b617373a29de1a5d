/* SPDX-License-Identifier: MIT */
/* fleet_file_route.c - GET /api/v1/fleet/files/{sha256}: a file of a model, for another node
 * of the fleet. A range "bytes=N-" is all that resuming needs. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "daemon/fleet_node.h"
#include "daemon/routes/bearer.h"
#include "daemon/routes/route.h"
#include "http/server.h"

enum { PIECE = 256 * 1024 };

/* A file on its way. A read is under way unless it is paused; the end comes when it is over. */
struct sending {
    uv_loop_t *loop;
    struct exchange *x; /* NULL: the client has left */
    int fd;
    int64_t at; /* byte of the file */
    bool reading, paused;
    uv_fs_t read;
    char bytes[PIECE];
};

static void sending_free(struct sending *s) {
    close(s->fd);
    free(s);
}

static void read_next(struct sending *s);

/* Shorter than it was: what was sent is not the file. */
static void sending_on_read(uv_fs_t *read) {
    struct sending *s = read->data;
    ssize_t count = read->result;
    uv_fs_req_cleanup(read);
    s->reading = false;
    if (!s->x) {
        sending_free(s);
    } else if (count <= 0) {
        if (count == 0)
            exchange_end(s->x);
        else
            exchange_abort(s->x);
        sending_free(s);
    } else {
        s->at += count;
        exchange_write(s->x, s->bytes, (size_t)count);
        if (!s->paused) read_next(s);
    }
}

static void read_next(struct sending *s) {
    uv_buf_t buf = uv_buf_init(s->bytes, PIECE);
    s->reading = true;
    s->read.data = s;
    int status = uv_fs_read(s->loop, &s->read, s->fd, &buf, 1, s->at, sending_on_read);
    if (status == 0) return;
    exchange_abort(s->x);
    sending_free(s);
}

static void sending_on_gone(void *ctx) {
    struct sending *s = ctx;
    s->x = NULL;
    if (!s->reading) sending_free(s);
}

static void sending_on_pressure(void *ctx, bool paused) {
    struct sending *s = ctx;
    s->paused = paused;
    if (!paused && !s->reading && s->x) read_next(s);
}

/* The byte that a resumed transfer goes on with; 0: all is wanted. */
static int64_t first_byte(const struct exchange *x) {
    const char *range = exchange_header(x, "Range");
    char *end;
    if (!range || strncmp(range, "bytes=", 6) != 0) return 0;
    const char *digits = range + 6;
    if (*digits < '0' || *digits > '9' || strlen(digits) > 18) return 0;
    int64_t from = strtoll(digits, &end, 10);
    return strcmp(end, "-") == 0 ? from : 0;
}

static void begin(struct sending *s, int64_t size) {
    char range[80];
    (void)snprintf(range, sizeof range, "bytes %" PRId64 "-%" PRId64 "/%" PRId64, s->at,
                   size - 1, size);
    if (s->at > 0) exchange_add_header(s->x, "Content-Range", range);
    exchange_on_gone(s->x, sending_on_gone, s);
    exchange_on_pressure(s->x, sending_on_pressure, s);
    exchange_begin(s->x, s->at > 0 ? 206 : 200, "application/octet-stream");
    read_next(s);
}

static bool refuse_range(struct error *err) {
    return error_set(err, ERR_INVALID_REQUEST, "The file is shorter than that; ask for all.");
}

static bool send_file(const struct routes *r, struct exchange *x, const char *path,
                      struct error *err) {
    struct stat st;
    int64_t from = first_byte(x);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || from >= st.st_size) {
        if (fd < 0) return error_set(err, ERR_NOT_FOUND, "The file is no longer there.");
        close(fd);
        return refuse_range(err);
    }
    struct sending *s = xcalloc(1, sizeof *s);
    s->loop = r->loop;
    s->x = x;
    s->fd = fd;
    s->at = from;
    begin(s, st.st_size);
    return true;
}

/* Only for nodes: a key for inference reads no files. */
static bool answer(const struct routes *r, struct exchange *x, struct error *err) {
    struct bearer bearer;
    if (!bearer_of_exchange(r, x, &bearer, err)) return false;
    if (!bearer.is_node)
        return error_set(err, ERR_API_KEY,
                         "Files are for the nodes of this server's fleet; set the same "
                         "fleet.key on both.");
    char *path = fleet_node_file(r->fleet, exchange_param(x, "sha256"));
    if (!path) return error_set(err, ERR_NOT_FOUND, "No model here has this SHA-256.");
    bool ok = send_file(r, x, path, err);
    free(path);
    return ok;
}

void route_fleet_file(void *ctx, struct exchange *x) {
    struct error err;
    if (!answer(ctx, x, &err)) exchange_fail(x, &err);
}
