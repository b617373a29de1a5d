/* SPDX-License-Identifier: MIT */
/* Each case is tried by a process of its own in each stage: what is forbidden fails as the
 * header says, what is needed works. */
#include "engine/sandbox.h"
#include "engine/sandbox_denied.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "ipc/message.h"
#include "poor_kernel.h"
#include "sandbox_attempts.h"

static char *home;

static void put(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0 && write(fd, "x", 1) == 1 && close(fd) == 0);
}

static int make_home(void **state) {
    (void)state;
    home = xstrdup("/tmp/doze-sandbox-XXXXXX");
    assert_non_null(mkdtemp(home));
    assert_int_equal(chdir(home), 0);
    assert_int_equal(mkdir("prompts", 0700), 0);
    put(MODEL);
    put(PART);
    put("lora.gguf");
    put("lora2.gguf");
    put("stranger.gguf");
    put("prompts/old");
    return 0;
}

static int clear_home(void **state) {
    (void)state;
    static const char *const files[] = { MODEL,           PART,
                                         "lora.gguf",     "lora2.gguf",
                                         "stranger.gguf", "prompts/old" };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        assert_int_equal(unlink(files[i]), 0);
    }
    assert_int_equal(rmdir("prompts"), 0);
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(home), 0);
    free(home);
    return 0;
}

/* The daemon has said something. */
static void connect_to_daemon(void) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || write(pair[1], "x", 1) != 1 ||
        dup2(pair[1], WORKER_FD + 2) < 0 || dup2(pair[0], WORKER_FD) < 0 ||
        dup2(WORKER_FD + 2, WORKER_FD + 1) < 0) {
        _exit(120);
    }
}

static struct sandbox enter(int stage, const char *prompts) {
    struct sandbox sandbox;
    const struct load_adapters adapters = { 2, { { "lora.gguf", 1 }, { "lora2.gguf", 1 } } };
    struct sandbox_rights rights = { .model = MODEL,
                                     .adapters = &adapters,
                                     .prompts = prompts };
    sandbox_enter(&sandbox, SANDBOX_LOADING, &rights);
    rights.model = NULL;
    rights.adapters = NULL;
    if (stage == SERVES) rights.prompts = NULL;
    if (stage != LOADS) sandbox_enter(&sandbox, SANDBOX_SERVING, &rights);
    return sandbox;
}

/* The status of a process that has tried it. */
static int status_of(int stage, int (*fn)(void)) {
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        connect_to_daemon();
        struct sandbox sandbox = enter(stage, "prompts");
        if (strcmp(sandbox_word(&sandbox), "full") != 0 || sandbox.missing) _exit(121);
        _exit(fn());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void test_every_attempt(void **state) {
    (void)state;
    static const char *const stages[] = { "loading", "serving with a store", "serving" };
    int wrong = 0;
    skip_without(HAS_LANDLOCK | HAS_SECCOMP);
    for (size_t i = 0; i < attempt_count; i++) {
        for (int stage = 0; stage < STAGES; stage++) {
            const struct attempt *a = &attempts[i];
            int status = status_of(stage, a->fn);
            if (WIFEXITED(status) && WEXITSTATUS(status) == a->wanted[stage]) continue;
            print_error("%s while %s: %s, not %s\n", a->name, stages[stage],
                        WIFEXITED(status) ? strerror(WEXITSTATUS(status)) : "killed",
                        strerror(a->wanted[stage]));
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static int give_up(void) {
    abort();
}

static int meet_a_signal(void) {
    return errno_of(raise(SIGKILL));
}

static void test_it_may_end_itself(void **state) {
    (void)state;
    skip_without(HAS_LANDLOCK | HAS_SECCOMP);
    assert_int_equal(WTERMSIG(status_of(SERVES, give_up)), SIGABRT);
    assert_int_equal(WTERMSIG(status_of(SERVES, meet_a_signal)), SIGKILL);
}

/* 0: it says what is missing, and what is there holds. What could be written anywhere is
 * written nowhere. */
static int in_poor_kernel(bool has_landlock, bool has_seccomp, const char *word) {
    poor_kernel(has_landlock, has_seccomp);
    connect_to_daemon();
    struct sandbox sandbox = enter(STORES, "prompts");
    bool half = has_seccomp && !has_landlock;
    if (strcmp(sandbox_word(&sandbox), word) != 0) return 1;
    if (!sandbox.missing || !strstr(sandbox.missing, "sandbox")) return 2;
    if (!strstr(sandbox.missing, "load only models that you trust")) return 3;
    if (sandbox_writes(&sandbox) == half) return 4;
    if (internet() != (has_seccomp ? EPERM : 0)) return 5;
    if (write_beside_model() != (half ? EPERM : has_landlock ? EACCES : 0)) return 6;
    if (half && (delete_model() != EPERM || move_out() != EPERM)) return 7;
    if (store_prompt() != (half ? EPERM : 0) || talk() != 0 || thread() != 0) return 8;
    if (read_passwords() != (has_landlock ? UNNAMED : 0)) return 9;
    return has_landlock || half ? 0 : errno_of(unlinkat(AT_FDCWD, "fresh", 0));
}

static void test_poor_kernels(void **state) {
    (void)state;
    static const struct {
        bool landlock, seccomp;
        const char *word;
    } kernels[] = { { false, true, "calls" },
                    { false, false, "none" },
                    { true, false, "files" } };
    skip_without(HAS_SECCOMP);
    for (size_t i = 0; i < sizeof kernels / sizeof kernels[0]; i++) {
        int status = 0;
        if (kernels[i].landlock) skip_without(HAS_LANDLOCK);
        pid_t pid = fork();
        if (pid == 0) {
            _exit(in_poor_kernel(kernels[i].landlock, kernels[i].seccomp, kernels[i].word));
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

/* Two kinds of calls, one of them from another thread; 0 if the counts are right. */
static int denials_are_counted(void) {
    int number, kinds = 0;
    pthread_t other;
    if (sandbox_denied_take(&number)) return 1;
    if (internet() != EPERM || internet() != EPERM) return 2;
    if (pthread_create(&other, NULL, dial_on_thread, NULL) != 0) return 3;
    if (pthread_join(other, NULL) != 0) return 4;
    for (; sandbox_denied_take(&number); kinds++) {
        if (number == SYS_socket && sandbox_denied_count(number) == 2) continue;
        if (number == SYS_connect && sandbox_denied_count(number) == 1) continue;
        return 5;
    }
    if (kinds != 2) return 6;
    if (internet() != EPERM || sandbox_denied_take(&number)) return 7; /* told already */
    return sandbox_denied_count(SYS_socket) == 3 ? 0 : 8;
}

static void test_what_is_denied_is_counted_and_told_once(void **state) {
    (void)state;
    skip_without(HAS_LANDLOCK | HAS_SECCOMP);
    int status = status_of(2, denials_are_counted);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_denied_is_counted_and_told_once),
        cmocka_unit_test(test_every_attempt),
        cmocka_unit_test(test_it_may_end_itself),
        cmocka_unit_test(test_poor_kernels),
    };
    return cmocka_run_group_tests(tests, make_home, clear_home);
}
