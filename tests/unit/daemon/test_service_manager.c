/* SPDX-License-Identifier: MIT */
/* What a service's environment says, and datagrams to the manager that started it. */
#include "cmocka_prelude.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/service_manager.h"

static const char *const names[] = { "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                     "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES" };

static int clear_environment(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) unsetenv(names[i]);
    return 0;
}

static void set(const char *name, const char *value) {
    assert_int_equal(setenv(name, value, 1), 0);
}

static void set_own_pid(const char *name) {
    char pid[16];
    snprintf(pid, sizeof pid, "%d", getpid());
    set(name, pid);
}

static void check_environment_is_empty(void) {
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) assert_null(getenv(names[i]));
}

static void test_without_a_service_manager(void **state) {
    (void)state;
    struct service_manager m;
    struct error err;
    assert_true(service_manager_open(&m, &err));
    assert_int_equal(m.fd, -1);
    assert_int_equal(m.watchdog, 0);
    assert_int_equal(m.socket_count, 0);
    service_manager_tell(&m, "READY=1"); /* to nobody */
    service_manager_close(&m);
}

/* A datagram socket of this name that waits for news. */
static int listen_for_news(const char *name, size_t len) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_true(fd >= 0);
    memcpy(address.sun_path, name, len);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    return fd;
}

static void check_news(int fd) {
    struct service_manager m;
    struct error err;
    char text[64];
    assert_true(service_manager_open(&m, &err));
    check_environment_is_empty();
    service_manager_tell(&m, "READY=1\nSTATUS=fine");
    ssize_t len = recv(fd, text, sizeof text - 1, 0);
    assert_true(len > 0);
    text[len] = '\0';
    assert_string_equal(text, "READY=1\nSTATUS=fine");
    assert_int_equal(fcntl(m.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(close(fd), 0);
    service_manager_tell(&m, "STOPPING=1"); /* nobody reads it now: no harm */
    service_manager_close(&m);
}

static void test_news_go_to_a_path(void **state) {
    (void)state;
    char folder[] = "/tmp/doze-news-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    set("NOTIFY_SOCKET", path);
    check_news(listen_for_news(path, strlen(path)));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_news_go_to_an_abstract_name(void **state) {
    (void)state;
    char name[64];
    int len = snprintf(name, sizeof name, "@doze-news-%d", getpid());
    set("NOTIFY_SOCKET", name);
    name[0] = '\0';
    check_news(listen_for_news(name, (size_t)len));
}

static void test_a_reader_that_does_not_read_stalls_nobody(void **state) {
    (void)state;
    struct service_manager m;
    struct error err;
    char name[64];
    int len = snprintf(name, sizeof name, "@doze-stuck-%d", getpid());
    set("NOTIFY_SOCKET", name);
    name[0] = '\0';
    int fd = listen_for_news(name, (size_t)len);
    assert_true(service_manager_open(&m, &err));
    for (int i = 0; i < 10000; i++) service_manager_tell(&m, "WATCHDOG=1");
    service_manager_close(&m);
    assert_int_equal(close(fd), 0);
}

static void test_a_name_that_nobody_has_is_no_error(void **state) {
    (void)state;
    struct service_manager m;
    struct error err;
    set("NOTIFY_SOCKET", "/nonexistent/socket");
    assert_true(service_manager_open(&m, &err));
    assert_int_equal(m.fd, -1);
}

static void test_the_watchdog_is_for_this_process_alone(void **state) {
    (void)state;
    struct service_manager m;
    struct error err;
    set("WATCHDOG_USEC", "30000000");
    assert_true(service_manager_open(&m, &err));
    assert_int_equal(m.watchdog, 30000);
    set("WATCHDOG_USEC", "30000000");
    set_own_pid("WATCHDOG_PID");
    assert_true(service_manager_open(&m, &err));
    assert_int_equal(m.watchdog, 30000);
    set("WATCHDOG_USEC", "30000000");
    set("WATCHDOG_PID", "1");
    assert_true(service_manager_open(&m, &err));
    assert_int_equal(m.watchdog, 0);
}

static void test_sockets_are_for_this_process_alone(void **state) {
    (void)state;
    struct service_manager m;
    struct error err;
    set("LISTEN_FDS", "2");
    set_own_pid("LISTEN_PID");
    assert_true(service_manager_open(&m, &err));
    assert_int_equal(m.socket_count, 2);
    assert_int_equal(m.sockets[0], 3);
    assert_int_equal(m.sockets[1], 4);
    check_environment_is_empty();
    set("LISTEN_FDS", "2");
    set("LISTEN_PID", "1");
    assert_true(service_manager_open(&m, &err));
    assert_int_equal(m.socket_count, 0);
    set("LISTEN_FDS", "2");
    assert_true(service_manager_open(&m, &err)); /* without LISTEN_PID */
    assert_int_equal(m.socket_count, 0);
}

static void test_one_socket_past_the_most_is_refused(void **state) {
    (void)state;
    struct service_manager m;
    struct error err;
    char count[8];
    for (int extra = 0; extra < 2; extra++) {
        snprintf(count, sizeof count, "%d", SERVICE_SOCKETS_MAX + extra);
        set("LISTEN_FDS", count);
        set_own_pid("LISTEN_PID");
        assert_int_equal(service_manager_open(&m, &err), extra == 0);
    }
    assert_int_equal(err.code, ERR_INVALID_REQUEST);
    assert_non_null(strstr(err.text, "ListenStream="));
}

static void test_values_that_no_service_manager_sets_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *name, *value;
    } wrong[] = {
        { "NOTIFY_SOCKET", "" },   { "NOTIFY_SOCKET", "relative" },
        { "WATCHDOG_USEC", "" },   { "WATCHDOG_USEC", "0" },
        { "WATCHDOG_USEC", "-5" }, { "WATCHDOG_USEC", "5s" },
        { "WATCHDOG_PID", "x" },   { "LISTEN_FDS", "99999999999999999999" },
        { "LISTEN_PID", "self" },
    };
    struct service_manager m;
    struct error err;
    char name[200];
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        set(wrong[i].name, wrong[i].value);
        assert_false(service_manager_open(&m, &err));
        assert_non_null(strstr(err.text, wrong[i].name));
        check_environment_is_empty();
    }
    memset(name, '/', sizeof name);
    name[sizeof name - 1] = '\0';
    set("NOTIFY_SOCKET", name);
    assert_false(service_manager_open(&m, &err));
}

#define TEST(name) cmocka_unit_test_setup(name, clear_environment)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_without_a_service_manager),
        TEST(test_news_go_to_a_path),
        TEST(test_news_go_to_an_abstract_name),
        TEST(test_a_reader_that_does_not_read_stalls_nobody),
        TEST(test_a_name_that_nobody_has_is_no_error),
        TEST(test_the_watchdog_is_for_this_process_alone),
        TEST(test_sockets_are_for_this_process_alone),
        TEST(test_one_socket_past_the_most_is_refused),
        TEST(test_values_that_no_service_manager_sets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
