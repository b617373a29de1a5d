/* SPDX-License-Identifier: MIT */
/* The watch over the socket while a model loads: it ends the process at a STOP and at the
 * daemon's end, and sleeps else. It runs in a child, which tells each time how it waits. */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_prelude.h"
#include "engine/load_watch.h"
#include "ipc/frame.h"
#include "ipc/message.h"

struct wait {
    short events;
    int timeout;
};

static int waits[2]; /* pipe from the child */

/* ld --wrap */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout) {
    struct wait wait = { fds[0].events, timeout };
    if (write(waits[1], &wait, sizeof wait) != (ssize_t)sizeof wait) _exit(3);
    return __real_poll(fds, count, timeout);
}

struct watched {
    pid_t pid;
    int fd;
};

static void be_the_worker(int fd, int go_fd) {
    struct load_watch watch;
    char byte;
    close(waits[0]);
    load_watch_start(&watch, fd);
    ssize_t n = read(go_fd, &byte, 1); /* until the parent lets the load end */
    load_watch_end(&watch);
    _exit(n == 1 ? 7 : 4);
}

/* go_fd: a byte on it is the end of the load. */
static struct watched begin(int *ret_go_fd) {
    int pair[2], go[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(pipe(waits), 0);
    assert_int_equal(pipe(go), 0);
    struct watched w = { fork(), pair[0] };
    assert_true(w.pid >= 0);
    if (w.pid == 0) {
        close(pair[0]);
        close(go[1]);
        be_the_worker(pair[1], go[0]);
    }
    close(pair[1]);
    close(waits[1]);
    close(go[0]);
    *ret_go_fd = go[1];
    return w;
}

static void end(struct watched *w, int go_fd, int status) {
    int got = 0;
    assert_int_equal(waitpid(w->pid, &got, 0), w->pid);
    assert_true(WIFEXITED(got));
    assert_int_equal(WEXITSTATUS(got), status);
    close(w->fd);
    close(go_fd);
    close(waits[0]);
}

static struct wait next_wait(void) {
    struct wait wait = { 0 };
    assert_int_equal(read(waits[0], &wait, sizeof wait), sizeof wait);
    return wait;
}

static void say(const struct watched *w, enum message_type type, size_t from, size_t to) {
    struct buf frame = BUF_INIT(100);
    assert_true(frame_format(&frame, (uint16_t)type, 0, NULL, 0));
    assert_int_equal(send(w->fd, frame.data + from, to - from, 0), to - from);
    buf_clear(&frame);
}

static void test_half_a_header_is_waited_for_without_spinning(void **state) {
    (void)state;
    int go;
    struct watched w = begin(&go);
    struct wait wait = next_wait();
    assert_true(wait.events & POLLIN);
    assert_int_equal(wait.timeout, -1);
    say(&w, MSG_STOP, 0, 5);
    for (int i = 0; i < 3; i++) {
        wait = next_wait();
        assert_false(wait.events & POLLIN); /* that would be true at once, for ever */
        assert_true(wait.timeout > 0);
    }
    say(&w, MSG_STOP, 5, FRAME_HEADER_SIZE);
    end(&w, go, 0);
}

static void test_the_daemon_may_go_behind_half_a_header(void **state) {
    (void)state;
    int go;
    struct watched w = begin(&go);
    say(&w, MSG_STOP, 0, 5);
    assert_int_equal(shutdown(w.fd, SHUT_RDWR), 0);
    end(&w, go, 0);
}

static void test_an_early_request_leaves_the_end_to_watch_for(void **state) {
    (void)state;
    int go;
    struct watched w = begin(&go);
    say(&w, MSG_CANCEL, 0, FRAME_HEADER_SIZE);
    (void)next_wait();
    struct wait wait = next_wait();
    assert_false(wait.events & POLLIN);
    assert_int_equal(wait.timeout, -1);
    assert_int_equal(shutdown(w.fd, SHUT_RDWR), 0);
    end(&w, go, 0);
}

static void test_the_load_may_end(void **state) {
    (void)state;
    int go;
    struct watched w = begin(&go);
    (void)next_wait();
    assert_int_equal(write(go, "", 1), 1);
    end(&w, go, 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_a_header_is_waited_for_without_spinning),
        cmocka_unit_test(test_the_daemon_may_go_behind_half_a_header),
        cmocka_unit_test(test_an_early_request_leaves_the_end_to_watch_for),
        cmocka_unit_test(test_the_load_may_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
