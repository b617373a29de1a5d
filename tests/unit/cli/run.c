/* SPDX-License-Identifier: MIT */
#include "run.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"

enum { MAX_OUTPUT = 4 << 20, MAX_ARGS = 24, WAIT_MS = 30000 };

static pid_t server_pid;
static int port;
static char folder[32]; /* of the commands on a terminal */

/* The program beside this one. */
static const char *program(void) {
    static char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof path - 32);
    assert_true(len > 0);
    path[len] = '\0';
    memcpy(strrchr(path, '/') + 1, "doze-cli-fake", sizeof "doze-cli-fake");
    return path;
}

static int wait_code(pid_t pid) {
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int server_begin(void **state) {
    (void)state;
    int ends[2];
    char line[16] = "";
    assert_int_equal(pipe(ends), 0);
    server_pid = fork();
    if (server_pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execl(program(), "doze", "serve", "--port", "0", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    assert_true(read(ends[0], line, sizeof line - 1) > 1);
    close(ends[0]);
    port = (int)strtol(line, NULL, 10);
    snprintf(folder, sizeof folder, "/tmp/doze-cli-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

int server_end(void **state) {
    (void)state;
    kill(server_pid, SIGTERM);
    wait_code(server_pid);
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

const char *terminal_folder(void) {
    return folder;
}

int server_port(void) {
    return port;
}

static void build_args(const char *name, bool with_port, const char *const *args, char **out) {
    static char number[16];
    size_t n = 0;
    snprintf(number, sizeof number, "%d", port);
    out[n++] = (char *)(uintptr_t)name;
    if (with_port) {
        out[n++] = (char *)(uintptr_t) "--port";
        out[n++] = number;
    }
    for (; *args; args++) {
        assert_true(n + 1 < MAX_ARGS);
        out[n++] = (char *)(uintptr_t)*args;
    }
    out[n] = NULL;
}

/* Read both to their end at the same time. */
static void collect(int out_fd, int err_fd, struct result *r) {
    struct pollfd fds[] = { { .fd = out_fd, .events = POLLIN },
                            { .fd = err_fd, .events = POLLIN } };
    struct buf *bufs[] = { &r->out, &r->err };
    for (int open = 2; open > 0;) {
        assert_true(poll(fds, 2, WAIT_MS) > 0);
        for (int i = 0; i < 2; i++) {
            if (fds[i].fd < 0 || !fds[i].revents) continue;
            char *room = buf_reserve(bufs[i], 4096);
            assert_non_null(room);
            ssize_t got = read(fds[i].fd, room, 4096);
            if (got > 0) {
                bufs[i]->len += (size_t)got;
                continue;
            }
            close(fds[i].fd);
            fds[i].fd = -1;
            open--;
        }
    }
    for (int i = 0; i < 2; i++) {
        if (bufs[i]->data) bufs[i]->data[bufs[i]->len] = '\0';
    }
}

enum run_kind { RUN_PLAIN, RUN_AS, RUN_CLOSED_PIPE };

static struct result run_any(enum run_kind kind, const char *name, const char *input,
                             const char *const *args) {
    struct result r = { .out = BUF_INIT(MAX_OUTPUT), .err = BUF_INIT(MAX_OUTPUT) };
    char *argv[MAX_ARGS];
    int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
    build_args(name, kind != RUN_AS, args, argv);
    assert_true(pipe(in) == 0 && pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
    if (kind == RUN_CLOSED_PIPE) {
        close(out[0]);
        out[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);
        dup2(input ? in[0] : null, STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        dup2(err[1], STDERR_FILENO);
        close(in[0]);
        close(in[1]);
        execv(program(), argv);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    close(err[1]);
    if (input) assert_int_equal(write(in[1], input, strlen(input)), strlen(input));
    close(in[1]);
    collect(out[0], err[0], &r);
    r.code = wait_code(pid);
    return r;
}

struct result run(const char *input, const char *const *args) {
    return run_any(RUN_PLAIN, "doze", input, args);
}

struct result run_as(const char *name, const char *input, const char *const *args) {
    return run_any(RUN_AS, name, input, args);
}

struct result run_into_closed_pipe(const char *const *args) {
    return run_any(RUN_CLOSED_PIPE, "doze", NULL, args);
}

void result_clear(struct result *r) {
    buf_clear(&r->out);
    buf_clear(&r->err);
}

void assert_has(const struct buf *text, const char *part) {
    if (!strstr(buf_str(text), part)) fail_msg("'%s' is not in:\n%s", part, buf_str(text));
}

void assert_has_not(const struct buf *text, const char *part) {
    if (strstr(buf_str(text), part)) fail_msg("'%s' is in:\n%s", part, buf_str(text));
}

struct terminal terminal_open(const char *const *args) {
    struct terminal t = { .seen = BUF_INIT(MAX_OUTPUT) };
    struct winsize size = { .ws_row = 24, .ws_col = 80 };
    char *argv[MAX_ARGS];
    build_args("doze", true, args, argv);
    t.pid = forkpty(&t.fd, NULL, NULL, &size);
    if (t.pid == 0) {
        setenv("TERM", "xterm", 1);
        unsetenv("NO_COLOR");
        setenv("DOZE_STATE_DIR", folder, 1);
        setenv("XDG_DATA_HOME", folder, 1);
        execv(program(), argv);
        _exit(127);
    }
    return t;
}

/* More of its output; false at its end (a terminal says EIO then). */
static bool terminal_read(struct terminal *t) {
    struct pollfd ready = { .fd = t->fd, .events = POLLIN };
    if (poll(&ready, 1, WAIT_MS) != 1) fail_msg("silence after:\n%s", buf_str(&t->seen));
    char *room = buf_reserve(&t->seen, 4096);
    assert_non_null(room);
    ssize_t got = read(t->fd, room, 4096);
    if (got <= 0) return false;
    t->seen.len += (size_t)got;
    t->seen.data[t->seen.len] = '\0';
    return true;
}

void terminal_expect(struct terminal *t, const char *text) {
    const char *found = NULL;
    while (!(found = strstr(buf_str(&t->seen), text))) {
        if (!terminal_read(t)) fail_msg("ended without '%s':\n%s", text, buf_str(&t->seen));
    }
    buf_drop(&t->seen, (size_t)(found - t->seen.data) + strlen(text));
}

void terminal_type(struct terminal *t, const char *keys) {
    assert_int_equal(write(t->fd, keys, strlen(keys)), strlen(keys));
}

int terminal_close(struct terminal *t) {
    while (terminal_read(t)) continue;
    int code = wait_code(t->pid);
    close(t->fd);
    buf_clear(&t->seen);
    return code;
}

char *server_get(const char *path) {
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct buf answer = BUF_INIT(MAX_OUTPUT);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    dprintf(fd, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    for (;;) {
        char *room = buf_reserve(&answer, 4096);
        ssize_t got = room ? read(fd, room, 4096) : -1;
        if (got <= 0) break;
        answer.len += (size_t)got;
    }
    close(fd);
    assert_non_null(answer.data);
    answer.data[answer.len] = '\0';
    char *body = strstr(answer.data, "\r\n\r\n");
    assert_non_null(body);
    body = xstrdup(body + 4);
    buf_clear(&answer);
    return body;
}
