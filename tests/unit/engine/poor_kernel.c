/* SPDX-License-Identifier: MIT */
#include "poor_kernel.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cmocka_prelude.h"

static bool has_landlock_here(void) {
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 1;
}

static bool has_seccomp_here(void) {
#if defined(__x86_64__) || defined(__aarch64__)
    uint32_t answer = SECCOMP_RET_ERRNO;
    return syscall(__NR_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &answer) == 0;
#else
    return false; /* there is no filter for this machine */
#endif
}

void skip_without(int features) {
    const char *missing = NULL;
    if ((features & HAS_LANDLOCK) && !has_landlock_here()) missing = "Landlock";
    if ((features & HAS_SECCOMP) && !has_seccomp_here()) missing = "seccomp";
    if (!missing) return;
    print_message("Skipped: this kernel has no %s.\n", missing);
    skip();
}

void poor_kernel(bool has_landlock, bool has_seccomp) {
    enum { NO_CALL = 0xffff };
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                 has_landlock ? NO_CALL : __NR_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, has_seccomp ? NO_CALL : __NR_seccomp, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = { .len = sizeof steps / sizeof steps[0], .filter = steps };
    assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    assert_int_equal(syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), 0);
}
