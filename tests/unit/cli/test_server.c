/* SPDX-License-Identifier: MIT */
#include "commands_groups.h"
#include "run.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "base/xalloc.h"

/* A state folder of its own, below the working folder of the tests. */
static char folder[] = "cli-state-XXXXXX";

static int folder_begin(void **state) {
    (void)state;
    memcpy(folder, "cli-state-XXXXXX", sizeof folder);
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_end(void **state) {
    (void)state;
    char *log = xasprintf("%s/a/b/doze.log", folder), *b = xasprintf("%s/a/b", folder);
    char *a = xasprintf("%s/a", folder);
    unlink(log);
    rmdir(b);
    rmdir(a);
    int result = rmdir(folder);
    free(log);
    free(b);
    free(a);
    return result;
}

static struct result run_plain(const char *const *args) {
    return run_as("doze", NULL, args);
}
#define PLAIN(...) run_plain((const char *const[]){ __VA_ARGS__, NULL })

/* Start on a free port; its number as text. */
static void start(const char *state_dir, char port[16]) {
    struct result r = PLAIN("server", "start", "--port", "0", "--state-dir", state_dir,
                            "--json");
    if (r.code != 0) fail_msg("%s", buf_str(&r.err));
    yyjson_doc *doc = yyjson_read(buf_str(&r.out), r.out.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    assert_true(yyjson_is_true(yyjson_obj_get(root, "started")));
    assert_true(yyjson_get_int(yyjson_obj_get(root, "pid")) > 1);
    snprintf(port, 16, "%d", yyjson_get_int(yyjson_obj_get(root, "port")));
    yyjson_doc_free(doc);
    result_clear(&r);
}

static void test_start_status_stop(void **state) {
    (void)state;
    char port[16], *dir = xasprintf("%s/a/b", folder);
    start(dir, port);
    struct result r = PLAIN("server", "status", "--port", port);
    assert_int_equal(r.code, 0);
    assert_has(&r.out, "The server is running on port ");
    assert_has(&r.out, "version 9.9, 0 loaded).");
    result_clear(&r);
    r = PLAIN("server", "start", "-p", port, "--cors");
    assert_int_equal(r.code, 0);
    assert_has(&r.out, "already running on port ");
    assert_has(&r.out, "Web pages of other origins are allowed (the setting cors is on).");
    assert_string_equal(buf_str(&r.err), "");
    result_clear(&r);
    r = PLAIN("server", "start", "-p", port, "--state-dir", dir, "--", "--log-level", "debug");
    assert_int_equal(r.code, 0);
    assert_has(
        &r.err,
        "doze: Without effect on a running server: --state-dir --log-level debug; stop it");
    result_clear(&r);
    r = PLAIN("--port", port, "settings", "get", "cors");
    assert_string_equal(buf_str(&r.out), "true\n");
    result_clear(&r);
    r = PLAIN("server", "stop", "--port", port);
    assert_int_equal(r.code, 0);
    assert_has(&r.out, "Stopped the server on port ");
    result_clear(&r);
    r = PLAIN("server", "status", "--port", port, "--json");
    assert_int_equal(r.code, 3);
    assert_string_equal(buf_str(&r.out), "{\"running\":false}\n");
    result_clear(&r);
    r = PLAIN("server", "stop", "--port", port);
    assert_int_equal(r.code, 3);
    result_clear(&r);
    free(dir);
}

static void test_stop_says_what_it_waits_for(void **state) {
    (void)state;
    char port[16], *dir = xasprintf("%s/a/b", folder);
    struct result r = PLAIN("server", "start", "--port", "0", "--state-dir", dir, "--json",
                            "--", "--linger");
    yyjson_doc *doc = yyjson_read(buf_str(&r.out), r.out.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    snprintf(port, 16, "%d", yyjson_get_int(yyjson_obj_get(root, "port")));
    yyjson_doc_free(doc);
    result_clear(&r);
    r = PLAIN("server", "stop", "--port", port);
    assert_int_equal(r.code, 0);
    assert_string_equal(buf_str(&r.err),
                        "Waiting for running answers to end, at most 10 s...\n");
    result_clear(&r);
    free(dir);
}

static void test_start_tells_why_not(void **state) {
    (void)state;
    char *dir = xasprintf("%s/a/b", folder);
    struct result r = PLAIN("server", "start", "--port", "0", "--state-dir", dir, "--",
                            "--refuse");
    assert_int_equal(r.code, 1);
    assert_has(&r.err,
               "doze: The server could not start: Port 1234 is in use; choose another with "
               "--port. (log: ");
    result_clear(&r);
    r = PLAIN("server", "start", "--port", "0", "--state-dir", "/proc/nowhere");
    assert_int_equal(r.code, 1);
    assert_has(&r.err, "The folder '/proc/nowhere' cannot be made");
    result_clear(&r);
    free(dir);
}

/* Something that listens there and never says a word. */
static void test_start_beside_a_stranger(void **state) {
    (void)state;
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    char port[16];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
    struct result r = PLAIN("server", "start", "--port", port);
    assert_int_equal(r.code, 1);
    assert_has(&r.err, "is not doze; choose another port with --port.");
    result_clear(&r);
    close(fd);
}

static void test_stop_only_here(void **state) {
    (void)state;
    struct result r = PLAIN("server", "stop", "--host", "192.0.2.1");
    assert_int_equal(r.code, 2);
    assert_has(&r.err, "A server can be stopped on its own machine only");
    result_clear(&r);
}

/* --host and --port before `serve` reach it. */
static void test_serve_gets_the_global_options(void **state) {
    (void)state;
    struct result r = PLAIN("--port", "77", "--host", "::1", "serve", "--say");
    assert_int_equal(r.code, 0);
    assert_string_equal(buf_str(&r.out), "::1 77\n");
    result_clear(&r);
}

int run_server(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_start_status_stop, folder_begin, folder_end),
        cmocka_unit_test_setup_teardown(test_stop_says_what_it_waits_for, folder_begin,
                                        folder_end),
        cmocka_unit_test_setup_teardown(test_start_tells_why_not, folder_begin, folder_end),
        cmocka_unit_test(test_start_beside_a_stranger),
        cmocka_unit_test(test_stop_only_here),
        cmocka_unit_test(test_serve_gets_the_global_options),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
