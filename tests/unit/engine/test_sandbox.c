/* SPDX-License-Identifier: MIT */
/* Each case is tried by a process of its own in each stage: what is forbidden fails as the
 * header says, what is needed works. */
#include "base/cgroup.h"
#include "engine/sandbox.h"
#include "engine/sandbox_denied.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "ipc/message.h"
#include "poor_kernel.h"

/* A folder of models, with a stranger, and one of prompts; the process works in the first. */
#define MODEL "m-00001-of-00002.gguf"
#define PART "m-00002-of-00002.gguf"
static char *home;

/* Sanitizers read files that no right names, and start processes: sandbox_files.c, _calls.c. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { UNNAMED = 0, NO_STORE = EPERM, OF_CHECKER = 0 };
#else
enum { UNNAMED = EACCES, NO_STORE = EACCES, OF_CHECKER = EPERM };
#endif

static int errno_of(long result) {
    return result < 0 ? errno : 0;
}

static int try_open(const char *path, int flags) {
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0) return errno;
    char byte;
    bool readable = (flags & (O_ACCMODE | O_DIRECTORY)) != 0 || read(fd, &byte, 1) >= 0;
    return close(fd) == 0 && readable ? 0 : errno;
}

/* ---- calls that only an attacker makes ---- */

static int internet(void) {
    return errno_of(socket(AF_INET, SOCK_STREAM, 0));
}
static int local_socket(void) {
    return errno_of(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int socket_pair(void) {
    int pair[2];
    return errno_of(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}
static int dial(void) {
    struct sockaddr any = { .sa_family = AF_UNIX };
    return errno_of(connect(WORKER_FD, &any, sizeof any));
}
static void *dial_on_thread(void *ctx) {
    (void)dial();
    return ctx;
}
static int pass_descriptor(void) {
    struct msghdr message = { 0 };
    return errno_of(sendmsg(WORKER_FD, &message, MSG_NOSIGNAL));
}
static int other_socket(void) {
    return errno_of(send(WORKER_FD + 1, "x", 1, MSG_NOSIGNAL));
}
static int start_program(void) {
    char *args[] = { (char *)(uintptr_t) "true", NULL };
    return errno_of(execv("/bin/true", args));
}
static int start_program_at(void) {
    char *args[] = { (char *)(uintptr_t) "true", NULL };
    return errno_of(execveat(AT_FDCWD, "/bin/true", args, args + 1, 0));
}
static int start_process(void) {
    long pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) _exit(0);
    return errno_of(pid);
}
/* As the starter of preparers is begun. */
static int start_copy(void) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    return errno_of(pid);
}
static int start_process_newly(void) {
    return errno_of(syscall(SYS_clone3, NULL, 0));
}
static int trace(void) {
    return errno_of(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}
static int read_memory(void) {
    char byte;
    struct iovec here = { &byte, 1 };
    return errno_of(process_vm_readv(getppid(), &here, 1, &here, 1, 0));
}
static int kill_parent(void) {
    return errno_of(kill(getppid(), 0));
}
static int kill_parents_thread(void) {
    return errno_of(syscall(SYS_tgkill, getppid(), getppid(), 0));
}
static int signal_by_file(void) {
    return errno_of(fcntl(WORKER_FD, F_SETOWN, getppid()));
}
/* A page that was made with one protection gets another. */
static int protect(int first, int then) {
    // cppcheck-suppress [invalidFunctionArg, memleak]
    void *map = mmap(NULL, 4096, first, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) return errno; // cppcheck-suppress memleak
    int why = errno_of(mprotect(map, 4096, then));
    munmap(map, 4096);
    return why;
}
static int new_code(void) {
    return protect(PROT_READ | PROT_EXEC, PROT_READ);
}
static int code_of_data(void) {
    return protect(PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC);
}
static int constant_data(void) {
    return protect(PROT_READ | PROT_WRITE, PROT_READ);
}
static int file_of_memory(void) {
    return errno_of(memfd_create("x", 0));
}
static int ring(void) {
    return errno_of(syscall(SYS_io_uring_setup, 1, NULL));
}
static int open_newly(void) {
    return errno_of(syscall(SYS_openat2, AT_FDCWD, MODEL, NULL, 0));
}
static int namespace(void) {
    return errno_of(unshare(CLONE_NEWUSER));
}
static int type_into_terminal(void) {
    return errno_of(ioctl(STDIN_FILENO, TIOCSTI, "x"));
}
static int change_rights(void) {
    return errno_of(chmod(MODEL, 0777));
}
static int link_elsewhere(void) {
    return errno_of(symlink("/etc", "prompts/etc"));
}
static int move_folder(void) {
    return errno_of(chdir("/"));
}
static int limits_of_others(void) {
    return errno_of(prlimit(getppid(), RLIMIT_NOFILE, NULL, NULL));
}
/* Nothing would change: to be sure that it was the filter that forbade it. */
static int priority_of_parent(void) {
    return errno_of(setpriority(PRIO_PROCESS, (id_t)getppid(), 0));
}
static int priority_of_group(void) {
    return errno_of(setpriority(PRIO_PGRP, 0, 0));
}
static int become_dumpable(void) {
    return errno_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}
#ifdef __x86_64__
static int old_machine(void) {
    return errno_of(syscall(0x40000000 + SYS_getpid)); /* x32 */
}
#endif

/* ---- files ---- */

static int read_model(void) {
    return try_open(MODEL, O_RDONLY);
}
static int read_part(void) {
    return try_open(PART, O_RDONLY);
}
static int read_adapter(void) {
    return try_open("lora.gguf", O_RDONLY);
}
static int read_second_adapter(void) {
    return try_open("lora2.gguf", O_RDONLY);
}
static int read_stranger(void) {
    return try_open("stranger.gguf", O_RDONLY);
}
static int read_models(void) {
    return try_open(".", O_RDONLY | O_DIRECTORY);
}
static int read_passwords(void) {
    return try_open("/etc/passwd", O_RDONLY);
}
static int read_environment(void) {
    return try_open("/proc/self/environ", O_RDONLY);
}
static int read_secret_by_prompts(void) {
    return try_open("prompts/../stranger.gguf", O_RDONLY);
}
static int write_model(void) {
    return try_open(MODEL, O_WRONLY);
}
static int write_adapter(void) {
    return try_open("lora.gguf", O_WRONLY);
}
static int empty_model(void) {
    return try_open(MODEL, O_RDONLY | O_TRUNC);
}
static int write_beside_model(void) {
    return try_open("fresh", O_WRONLY | O_CREAT);
}
static int write_null(void) {
    return try_open("/dev/null", O_WRONLY);
}
static int delete_model(void) {
    return errno_of(unlinkat(AT_FDCWD, MODEL, 0));
}
static int make_folder(void) {
    return errno_of(mkdir("prompts/folder", 0700));
}
static int move_out(void) {
    return errno_of(renameat(AT_FDCWD, "prompts/old", AT_FDCWD, "old"));
}

/* ---- what is needed ---- */

static int store_prompt(void) {
    struct statvfs fs;
    int dir = open("prompts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || fstatvfs(dir, &fs) != 0) return errno;
    int fd = openat(dir, "new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0) return errno;
    if (renameat(dir, "new", dir, "kept") != 0) return errno;
    if (utimensat(dir, "kept", NULL, AT_SYMLINK_NOFOLLOW) != 0) return errno;
    if (try_open("prompts/kept", O_RDONLY) != 0) return errno;
    return errno_of(unlinkat(dir, "kept", 0));
}
static int talk(void) {
    char byte;
    struct pollfd p = { .fd = WORKER_FD, .events = POLLIN };
    if (send(WORKER_FD, "x", 1, MSG_NOSIGNAL) != 1) return errno;
    if (poll(&p, 1, -1) != 1) return errno;
    return recv(WORKER_FD, &byte, 1, 0) == 1 ? 0 : errno;
}
static void *nice_thread(void *arg) {
    return setpriority(PRIO_PROCESS, 0, 10) == 0 ? arg : NULL;
}
static int thread(void) {
    pthread_t thread;
    void *result = NULL;
    int why = pthread_create(&thread, NULL, nice_thread, &result);
    if (why != 0) return why;
    pthread_join(thread, &result);
    return result == &result ? 0 : 99;
}
static int measure_memory(void) {
    return memory_available() > 0 && memory_available() < UINT64_MAX ? 0 : EACCES;
}
static int read_status(void) {
    return try_open("/proc/self/status", O_RDONLY);
}
static int read_groups(void) {
    return try_open("/proc/self/cgroup", O_RDONLY);
}
/* Limits above this process's own group count, too. */
static int read_limits(void) {
    static const char *const files[] = { "memory.max", "memory.high", "memory.current",
                                         "memory.stat", "cpu.max" };
    struct cgroup group;
    char path[4200];
    cgroup_own(&group, "");
    do {
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
            cgroup_file(&group, files[i], path, sizeof path);
            int error = try_open(path, O_RDONLY);
            if (error != 0 && error != ENOENT) return error;
        }
    } while (cgroup_up(&group));
    return 0;
}
static int read_load(void) {
    return try_open("/proc/loadavg", O_RDONLY);
}
static int count_processors(void) {
    return try_open("/sys/devices/system/cpu/online", O_RDONLY);
}
static int tell_time(void) {
    time_t now = time(NULL);
    struct tm tm;
    setenv("TZ", "Asia/Tokyo", 1);
    return localtime_r(&now, &tm) ? 0 : 99;
}
static int wake(void) {
    uint64_t one = 1;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 || write(fd, &one, sizeof one) < 0 || read(fd, &one, sizeof one) < 0 ? errno
                                                                                       : 0;
}
static int lock_memory(void) {
    char page[64] = "";
    return errno_of(mlock(page, sizeof page)) || errno_of(munlock(page, sizeof page)) ? errno
                                                                                      : 0;
}
static int grow(void) {
    const size_t much = 64 << 20;
    char *block = malloc(much);
    if (!block) return ENOMEM;
    memset(block, 1, much);
    void *larger = realloc(block, 2 * much);
    if (!larger) {
        free(block);
        return ENOMEM;
    }
    free(larger);
    return 0;
}
static int second_stage(void) {
    return errno_of(syscall(SYS_seccomp, 99, 0, NULL)) == EINVAL ? 0 : errno;
}

/* ---- */

enum { LOADS, STORES, SERVES, STAGES }; /* the last: without a store of prompts */

static const struct attempt {
    const char *name;
    int (*fn)(void);
    int wanted[STAGES];
} attempts[] = {
#define ALWAYS(fn, why)                                                                        \
    {                                                                                          \
#fn, fn, {                                                                             \
            why, why, why                                                                      \
        }                                                                                      \
    }
#define BY_STAGE(fn, a, b, c)                                                                  \
    {                                                                                          \
#fn, fn, {                                                                             \
            a, b, c                                                                            \
        }                                                                                      \
    }
    ALWAYS(internet, EPERM),
    ALWAYS(local_socket, EPERM),
    ALWAYS(socket_pair, EPERM),
    ALWAYS(dial, EPERM),
    ALWAYS(pass_descriptor, EPERM),
    ALWAYS(other_socket, EPERM),
    ALWAYS(start_program, EPERM),
    ALWAYS(start_program_at, EPERM),
    ALWAYS(read_memory, EPERM),
    ALWAYS(kill_parent, EPERM),
    ALWAYS(kill_parents_thread, EPERM),
    ALWAYS(signal_by_file, EPERM),
    ALWAYS(new_code, EPERM),
    ALWAYS(code_of_data, EPERM),
    ALWAYS(file_of_memory, EPERM),
    ALWAYS(namespace, EPERM),
    ALWAYS(type_into_terminal, EPERM),
    ALWAYS(change_rights, EPERM),
    ALWAYS(link_elsewhere, EPERM),
    ALWAYS(move_folder, EPERM),
    ALWAYS(limits_of_others, EPERM),
    ALWAYS(priority_of_parent, EPERM),
    ALWAYS(priority_of_group, EPERM),
    ALWAYS(start_process_newly, ENOSYS),
    ALWAYS(ring, ENOSYS),
    ALWAYS(open_newly, ENOSYS),
#ifdef __x86_64__
    ALWAYS(old_machine, ENOSYS),
#endif
    ALWAYS(start_process, OF_CHECKER),
    BY_STAGE(start_copy, 0, OF_CHECKER, OF_CHECKER),
    ALWAYS(trace, EPERM),
    ALWAYS(become_dumpable, OF_CHECKER),
    ALWAYS(read_stranger, UNNAMED),
    ALWAYS(read_models, UNNAMED),
    ALWAYS(read_passwords, UNNAMED),
    ALWAYS(read_environment, UNNAMED),
    ALWAYS(read_secret_by_prompts, UNNAMED),
    BY_STAGE(read_model, 0, UNNAMED, UNNAMED),
    BY_STAGE(read_part, 0, UNNAMED, UNNAMED),
    BY_STAGE(read_adapter, 0, UNNAMED, UNNAMED),
    BY_STAGE(read_second_adapter, 0, UNNAMED, UNNAMED),
    BY_STAGE(write_model, EACCES, EACCES, EPERM),
    BY_STAGE(write_adapter, EACCES, EACCES, EPERM),
    BY_STAGE(empty_model, EACCES, EACCES, EPERM),
    BY_STAGE(write_beside_model, EACCES, EACCES, EPERM),
    BY_STAGE(write_null, EACCES, EACCES, EPERM),
    BY_STAGE(delete_model, EACCES, EACCES, EPERM),
    BY_STAGE(make_folder, EACCES, EACCES, EPERM),
    BY_STAGE(move_out, EACCES, EACCES, EPERM),
    BY_STAGE(store_prompt, 0, 0, NO_STORE),
    BY_STAGE(second_stage, 0, EPERM, EPERM),
    ALWAYS(talk, 0),
    ALWAYS(thread, 0),
    ALWAYS(measure_memory, 0),
    ALWAYS(read_status, 0),
    ALWAYS(read_groups, 0),
    ALWAYS(read_limits, 0),
    ALWAYS(read_load, 0),
    ALWAYS(count_processors, 0),
    ALWAYS(tell_time, 0),
    ALWAYS(wake, 0),
    ALWAYS(lock_memory, 0),
    ALWAYS(grow, 0),
    ALWAYS(constant_data, 0),
};

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
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
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
