/* SPDX-License-Identifier: MIT */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "child.h"

enum { PATIENCE = 60 * 1000, READ_MAX = 64 << 20 }; /* ms until a test has failed; bytes */

static void ignore_broken_pipes(void) {
    struct sigaction ignore = { .sa_handler = SIG_IGN };
    assert_int_equal(sigaction(SIGPIPE, &ignore, NULL), 0);
}

static int run_child(const struct http_limits *limits, bool cors, int commands, int events) {
    struct rlimit few = { .rlim_cur = 256, .rlim_max = 256 };
    (void)setrlimit(RLIMIT_NOFILE, &few);
    return child_run(limits, cors, commands, events);
}

/* A line of the child, without its end. */
static void read_line(struct fixture *f, char *line, size_t size) {
    size_t len = 0;
    for (;;) {
        struct pollfd waiting = { .fd = f->events, .events = POLLIN };
        if (poll(&waiting, 1, PATIENCE) != 1) fail_msg("the server told nothing");
        if (read(f->events, line + len, 1) != 1) fail_msg("the server died");
        if (line[len] == '\n') break;
        assert_true(++len < size);
    }
    line[len] = '\0';
}

struct fixture *fixture_start(const struct http_limits *limits, bool cors) {
    struct fixture *f = xcalloc(1, sizeof *f);
    int commands[2], events[2];
    assert_int_equal(pipe2(commands, O_CLOEXEC), 0);
    assert_int_equal(pipe2(events, O_CLOEXEC), 0);
    (void)fflush(NULL);
    ignore_broken_pipes();
    f->pid = fork();
    assert_true(f->pid >= 0);
    if (f->pid == 0) {
        close(commands[1]);
        close(events[0]);
        free(f);
        exit(run_child(limits, cors, commands[0], events[1]));
    }
    close(commands[0]);
    close(events[1]);
    f->commands = commands[1];
    f->events = events[0];
    char line[32];
    read_line(f, line, sizeof line);
    f->port = (int)strtol(line, NULL, 10);
    assert_true(f->port > 0);
    return f;
}

struct http_limits limits_of_bodies(size_t total) {
    struct http_limits limits = http_limits_default;
    limits.bodies_total = total;
    limits.small_body = 0;
    return limits;
}

void fixture_stop(struct fixture *f) {
    fixture_command(f, "q");
    fixture_join(f);
}

void fixture_join(struct fixture *f) {
    int status = 0;
    char line[64];
    do read_line(f, line, sizeof line);
    while (strcmp(line, "server closed") != 0);
    assert_int_equal(waitpid(f->pid, &status, 0), f->pid);
    assert_int_equal(status, 0);
    close(f->commands);
    close(f->events);
    free(f);
}

struct fixture *shared;
const char *fixture_tls;

int fixture_set_up(void **state) {
    (void)state;
    shared = fixture_start(NULL, false);
    return 0;
}

int fixture_tear_down(void **state) {
    (void)state;
    fixture_stop(shared);
    return 0;
}

void fixture_command(struct fixture *f, const char *letters) {
    size_t len = strlen(letters);
    assert_int_equal(write(f->commands, letters, len), len);
}

char *fixture_next(struct fixture *f) {
    char line[64];
    read_line(f, line, sizeof line);
    return xstrdup(line);
}

void fixture_expect(struct fixture *f, const char *line) {
    char *got = fixture_next(f);
    assert_string_equal(got, line);
    free(got);
}

int client_connect(const struct fixture *f) {
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)f->port) };
    struct timeval patience = { .tv_sec = PATIENCE / 1000 };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void client_send_bytes(int fd, const void *bytes, size_t len) {
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) fail_msg("the server does not read: %s", strerror(errno));
        at += n;
        len -= (size_t)n;
    }
}

void client_send(int fd, const char *text) {
    client_send_bytes(fd, text, strlen(text));
}

void client_send_anyway(int fd, const void *bytes, size_t len) {
    const char *at = bytes;
    ssize_t n = 0;
    for (; len > 0 && n >= 0; len -= (size_t)n, at += n) {
        n = send(fd, at, len, MSG_NOSIGNAL);
        if (n < 0) return;
    }
}

/* More bytes; 0 at the end, -1 at a reset. */
static int read_more(int fd, struct buf *out) {
    char room[65536];
    if (!out->max) buf_init(out, READ_MAX);
    ssize_t n = recv(fd, room, sizeof room, 0);
    if (n < 0 && errno != ECONNRESET) fail_msg("no answer: %s", strerror(errno));
    if (n > 0) assert_true(buf_add(out, room, (size_t)n));
    return n > 0 ? 1 : (int)n;
}

void client_read_until(int fd, struct buf *out, const char *text) {
    size_t len = strlen(text);
    while (!out->data || !memmem(out->data, out->len, text, len)) {
        if (read_more(fd, out) <= 0) fail_msg("ended without \"%s\": %s", text, buf_str(out));
    }
}

bool client_read_end(int fd, struct buf *out) {
    int more;
    do more = read_more(fd, out);
    while (more > 0);
    return more == 0;
}

char *client_talk(const struct fixture *f, const char *request) {
    struct buf out = { .max = 0 };
    int fd = client_connect(f);
    client_send(fd, request);
    if (!client_read_end(fd, &out)) fail_msg("reset after: %s", buf_str(&out));
    close(fd);
    return buf_take(&out);
}

void client_check(const struct fixture *f, const char *request, const char *begin,
                  const char *contain) {
    char *answer = client_talk(f, request);
    if (strncmp(answer, begin, strlen(begin)) != 0 || !strstr(answer, contain)) {
        fail_msg("to %.200s\nexpected \"%s\" and \"%s\", got: %s", request, begin, contain,
                 answer);
    }
    free(answer);
}

char *repeat(const char *text, size_t count) {
    size_t len = strlen(text);
    char *all = xcalloc(1, len * count + 1);
    for (size_t i = 0; i < count; i++) memcpy(all + i * len, text, len);
    return all;
}
