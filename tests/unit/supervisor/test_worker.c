/* SPDX-License-Identifier: MIT */
/* Real processes: shell scripts in the place of doze-engine. */
#include "cmocka_prelude.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "supervisor/worker.h"

struct output {
    struct buf lines; /* each with a newline */
    size_t longest;
    char how[64];
};

static void on_frame(void *ctx, struct worker *worker, const struct frame *frame) {
    (void)ctx;
    (void)worker;
    (void)frame;
}

static void on_gone(void *ctx, struct worker *worker, const char *how) {
    struct output *output = ctx;
    (void)worker;
    (void)snprintf(output->how, sizeof output->how, "%s", how);
}

static void on_line(void *ctx, struct worker *worker, const char *line) {
    struct output *output = ctx;
    (void)worker;
    if (strlen(line) > output->longest) output->longest = strlen(line);
    (void)buf_addf(&output->lines, "%s\n", line);
}

/* Run the script to its end. */
static void run(const char *script, struct output *ret) {
    char path[] = "/tmp/doze-worker-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "#!/bin/sh\n%s\n", script) > 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    *ret = (struct output){ .lines = BUF_INIT(1 << 20) };
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    struct worker_owner owner = {
        .on_frame = on_frame, .on_gone = on_gone, .on_line = on_line, .ctx = ret
    };
    struct error err;
    struct worker_program program = { .path = path };
    assert_non_null(worker_spawn(&loop, &program, 0, 1, &owner, &err));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    unlink(path);
}

static void test_what_a_worker_prints_arrives_in_lines(void **state) {
    (void)state;
    struct output output;
    run("echo one >&2; printf 'two\\nthr' >&2; printf 'ee\\n\\nlast words' >&2; exit 3",
        &output);
    assert_string_equal(buf_str(&output.lines), "one\ntwo\nthree\nlast words\n");
    assert_string_equal(output.how, "exited with status 3");
    buf_clear(&output.lines);
}

static void test_a_line_cannot_control_a_terminal_and_has_an_end(void **state) {
    (void)state;
    struct output output;
    run("printf '\\033[31mred\\377\\n' >&2; head -c 100000 /dev/zero | tr '\\0' x >&2",
        &output);
    assert_non_null(strstr(buf_str(&output.lines), "?[31mred?\n"));
    assert_int_equal(output.longest, WORKER_LINE_MAX);
    buf_clear(&output.lines);
}

static void test_a_worker_has_no_terminal(void **state) {
    (void)state;
    struct output output;
    run("readlink /proc/$$/fd/0 >&2; for fd in 0 1 2; do [ -t $fd ] && echo terminal >&2; "
        "done\n"
        "(: </dev/tty) 2>/dev/null && echo terminal >&2",
        &output);
    assert_string_equal(buf_str(&output.lines), "/dev/null\n");
    buf_clear(&output.lines);
}

static void test_a_worker_does_not_get_the_daemons_secrets(void **state) {
    (void)state;
    struct output output;
    setenv("HF_TOKEN", "hf_secret", 1);
    run("env >&2", &output);
    assert_null(strstr(buf_str(&output.lines), "hf_secret"));
    assert_non_null(strstr(buf_str(&output.lines), "PATH="));
    buf_clear(&output.lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_worker_prints_arrives_in_lines),
        cmocka_unit_test(test_a_line_cannot_control_a_terminal_and_has_an_end),
        cmocka_unit_test(test_a_worker_has_no_terminal),
        cmocka_unit_test(test_a_worker_does_not_get_the_daemons_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
