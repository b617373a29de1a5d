/* SPDX-License-Identifier: MIT */
#include "sandbox_attempts.h"

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
#include <time.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/memory.h"
#include "ipc/message.h"

int errno_of(long result) {
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

int internet(void) {
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
void *dial_on_thread(void *ctx) {
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
int read_passwords(void) {
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
int write_beside_model(void) {
    return try_open("fresh", O_WRONLY | O_CREAT);
}
static int write_null(void) {
    return try_open("/dev/null", O_WRONLY);
}
int delete_model(void) {
    return errno_of(unlinkat(AT_FDCWD, MODEL, 0));
}
static int make_folder(void) {
    return errno_of(mkdir("prompts/folder", 0700));
}
int move_out(void) {
    return errno_of(renameat(AT_FDCWD, "prompts/old", AT_FDCWD, "old"));
}

/* ---- what is needed ---- */

int store_prompt(void) {
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
int talk(void) {
    char byte;
    struct pollfd p = { .fd = WORKER_FD, .events = POLLIN };
    if (send(WORKER_FD, "x", 1, MSG_NOSIGNAL) != 1) return errno;
    if (poll(&p, 1, -1) != 1) return errno;
    return recv(WORKER_FD, &byte, 1, 0) == 1 ? 0 : errno;
}
static void *nice_thread(void *arg) {
    return setpriority(PRIO_PROCESS, 0, 10) == 0 ? arg : NULL;
}
int thread(void) {
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

const struct attempt attempts[] = {
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
const size_t attempt_count = sizeof attempts / sizeof attempts[0];
