/* SPDX-License-Identifier: MIT */
/* Beside a GPU's driver: what no driver needs is forbidden, the rest goes on. */
#include "engine/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"

/* Their leak checker is a process. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { OF_CHECKER = 0 };
#else
enum { OF_CHECKER = EPERM };
#endif

static char home[] = "/tmp/doze-driver-XXXXXX";

static int errno_of(long result) {
    return result < 0 ? errno : 0;
}

static int try_open(const char *name, int flags) {
    char *path = *name == '/' ? xstrdup(name) : xasprintf("%s/%s", home, name);
    int fd = open(path, flags | O_CLOEXEC, 0600), result = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    free(path);
    return result;
}

static int starts_program(void) {
    char *args[] = { (char *)(uintptr_t) "true", NULL };
    return errno_of(execv("/bin/true", args));
}
static int opens_socket(void) {
    return errno_of(socket(AF_INET, SOCK_STREAM, 0));
}
static int opens_local_socket(void) {
    return errno_of(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int signals_another(void) {
    return errno_of(kill(getppid(), SIGTERM));
}
static int forks(void) {
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    return errno_of(pid);
}
static int changes_mode(void) {
    return errno_of(chmod("/tmp", 01777));
}
static int writes_a_file(void) {
    return try_open("stranger", O_WRONLY);
}
static int makes_a_file(void) {
    return try_open("new", O_WRONLY | O_CREAT);
}
static int writes_a_prompt(void) {
    return try_open("prompts/new", O_WRONLY | O_CREAT);
}
static int writes_a_shader(void) {
    return try_open("shaders/new", O_WRONLY | O_CREAT);
}
static int reads_a_file(void) {
    return try_open("stranger", O_RDONLY);
}
static int opens_a_device(void) {
    return try_open("/dev/null", O_RDWR);
}
static int asks_a_device(void) {
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC), size = 0;
    int result = errno_of(ioctl(fd, FIONREAD, &size));
    close(fd);
    return result == ENOTTY ? 0 : result;
}
static int makes_code(void) {
    const int rights = PROT_READ | PROT_WRITE | PROT_EXEC, kind = MAP_PRIVATE | MAP_ANONYMOUS;
    /* cppcheck-suppress invalidFunctionArg ; -1 belongs to MAP_ANONYMOUS */
    void *page = mmap(NULL, 4096, rights, kind, -1, 0);
    if (page == MAP_FAILED) return errno;
    (void)munmap(page, 4096);
    return 0;
}
static void *nothing(void *ctx) {
    return ctx;
}
static int starts_a_thread(void) {
    pthread_t thread;
    int result = pthread_create(&thread, NULL, nothing, NULL);
    if (result == 0) pthread_join(thread, NULL);
    return result;
}

static const struct {
    const char *name;
    int (*fn)(void);
    int loading, serving; /* errno */
} cases[] = {
    { "starts a program", starts_program, EPERM, EPERM },
    { "opens a socket", opens_socket, EPERM, EPERM },
    { "opens a local socket", opens_local_socket, EPERM, EPERM },
    { "signals another process", signals_another, EPERM, EPERM },
    { "forks", forks, 0, OF_CHECKER },
    { "changes a mode", changes_mode, EPERM, EPERM },
    { "writes a file", writes_a_file, EACCES, EACCES },
    { "makes a file", makes_a_file, EACCES, EACCES },
    { "writes a prompt", writes_a_prompt, 0, 0 },
    { "writes a shader", writes_a_shader, 0, 0 },
    { "reads a file", reads_a_file, 0, 0 },
    { "opens a device", opens_a_device, 0, 0 },
    { "asks a device", asks_a_device, 0, 0 },
    { "makes code", makes_code, 0, 0 },
    { "starts a thread", starts_a_thread, 0, 0 },
};

/* The child's answer: the errno, or 255 if the kernel has half of it only. */
static int try_in(enum sandbox_stage stage, int (*fn)(void)) {
    pid_t pid = fork();
    if (pid == 0) {
        struct sandbox sandbox;
        char *prompts = xasprintf("%s/prompts", home);
        struct sandbox_rights rights = { .prompts = prompts, .driver = true };
        sandbox_enter(&sandbox, SANDBOX_LOADING, &rights);
        if (stage == SANDBOX_SERVING) sandbox_enter(&sandbox, stage, &rights);
        _exit(sandbox.calls && sandbox.files ? fn() : 255);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_beside_a_driver(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int loading = try_in(SANDBOX_LOADING, cases[i].fn);
        int serving = try_in(SANDBOX_SERVING, cases[i].fn);
        if (loading == 255) skip(); /* no seccomp or no Landlock here */
        if (loading != cases[i].loading || serving != cases[i].serving)
            fail_msg("%s: %d while loading, %d while serving", cases[i].name, loading, serving);
    }
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(home)) return -1;
    char *shaders = xasprintf("%s/shaders", home), *prompts = xasprintf("%s/prompts", home);
    int failed = mkdir(shaders, 0700) + mkdir(prompts, 0700);
    failed += try_open("stranger", O_WRONLY | O_CREAT);
    setenv("MESA_SHADER_CACHE_DIR", shaders, 1);
    free(shaders);
    free(prompts);
    return failed;
}

static int tear_down(void **state) {
    static const char *const names[] = { "prompts/new", "shaders/new", "stranger" };
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char *path = xasprintf("%s/%s", home, names[i]);
        unlink(path);
        free(path);
    }
    for (size_t i = 0; i < 2; i++) {
        char *path = xasprintf("%s/%s", home, i ? "shaders" : "prompts");
        rmdir(path);
        free(path);
    }
    return rmdir(home);
}

int main(void) {
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_beside_a_driver) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
