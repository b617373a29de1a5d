/* SPDX-License-Identifier: MIT */
#include "engine/link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/json.h"

enum { READ_CHUNK = 64 << 10 };

void link_init(struct link *link, int fd) {
    *link = (struct link){ .fd = fd, .wake_fd = -1 };
    buf_init(&link->in, (size_t)FRAME_MAX_TO_WORKER + FRAME_HEADER_SIZE + READ_CHUNK);
    buf_init(&link->out, (size_t)FRAME_MAX_TO_DAEMON + FRAME_HEADER_SIZE + LINK_MAX_UNSENT);
    int flags = fcntl(fd, F_GETFL);
    (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Drop the bytes that were returned, and free a large buffer that is empty. */
static void compact(struct link *link) {
    buf_drop_shrink(&link->in, link->in_used, 2 * READ_CHUNK);
    link->in_used = 0;
}

static bool damaged(const struct link *link) {
    struct frame frame;
    size_t used = 0;
    struct error err;
    return frame_parse(buf_str(&link->in), link->in.len, FRAME_MAX_TO_WORKER, &frame, &used,
                       &err) == FRAME_BAD;
}

/* Read once. False: there is nothing more to read; *ret_alive tells why. */
static bool read_some(struct link *link, bool *ret_alive) {
    char *room = buf_reserve(&link->in, READ_CHUNK);
    if (!room) {
        link->in.overflowed = false; /* full: frames have to be taken first */
        return false;
    }
    ssize_t n = recv(link->fd, room, READ_CHUNK, 0);
    if (n < 0 && errno == EINTR) return true;
    if (n <= 0) *ret_alive = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (n > 0) link->in.len += (size_t)n;
    return n == READ_CHUNK;
}

bool link_fill(struct link *link) {
    bool alive = true;
    compact(link);
    while (read_some(link, &alive)) continue;
    return alive && !damaged(link);
}

/* One frame at an offset; its length with the header, 0 if it is not whole. */
static size_t frame_at(const struct link *link, size_t offset, struct frame *ret) {
    size_t used = 0;
    struct error err;
    enum frame_status status = frame_parse(link->in.data + offset, link->in.len - offset,
                                           FRAME_MAX_TO_WORKER, ret, &used, &err);
    return status == FRAME_ONE ? used : 0;
}

bool link_next(struct link *link, struct frame *ret) {
    size_t used = frame_at(link, link->in_used, ret);
    link->in_used += used;
    return used > 0;
}

bool link_peek(const struct link *link, bool (*fn)(void *ctx, const struct frame *frame),
               void *ctx) {
    struct frame frame;
    size_t offset = link->in_used;
    for (size_t used; (used = frame_at(link, offset, &frame)) > 0; offset += used) {
        if (fn(ctx, &frame)) return true;
    }
    return false;
}

static void flush(struct link *link) {
    size_t sent = 0;
    while (sent < link->out.len) {
        ssize_t n = send(link->fd, link->out.data + sent, link->out.len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
        if (n < 0) sent = link->out.len; /* nobody will read it; link_fill tells */
        if (n > 0) sent += (size_t)n;
    }
    buf_drop(&link->out, sent);
}

static void flush_below(struct link *link, size_t limit) {
    flush(link);
    while (link->out.len > limit) {
        struct pollfd p = { .fd = link->fd, .events = POLLOUT };
        (void)poll(&p, 1, -1);
        flush(link);
    }
}

void link_send(struct link *link, enum message_type type, uint64_t request, const void *payload,
               size_t len) {
    flush_below(link, LINK_MAX_UNSENT);
    (void)frame_format(&link->out, (uint16_t)type, request, payload, len);
    flush(link);
}

void link_send_doc(struct link *link, enum message_type type, yyjson_mut_doc *doc) {
    struct buf json = BUF_INIT(64 << 20);
    if (json_write(doc, &json)) link_send(link, type, 0, json.data, json.len);
    buf_clear(&json);
    yyjson_mut_doc_free(doc);
}

void link_send_warning(struct link *link, const char *text, size_t len) {
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_str(doc, root, "level", "warn");
    yyjson_mut_obj_add_strn(doc, root, "text", text, len);
    link_send_doc(link, MSG_LOG, doc);
}

void link_wait(struct link *link, const struct pollfd *others, size_t count, int timeout_ms) {
    struct pollfd p[2 + LINK_MAX_OTHERS] = { { .fd = link->fd, .events = POLLIN },
                                             { .fd = link->wake_fd, .events = POLLIN } };
    assert(count <= LINK_MAX_OTHERS);
    for (size_t i = 0; i < count; i++) p[2 + i] = others[i];
    if (link->out.len > 0) p[0].events |= POLLOUT;
    (void)poll(p, 2 + count, timeout_ms);
    if (link->out.len > 0) flush(link);
}

void link_drain(struct link *link) {
    flush_below(link, 0);
}
