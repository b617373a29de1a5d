/* SPDX-License-Identifier: MIT */
#include "engine/sandbox_calls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/sandbox_denied.h"
#include "ipc/message.h"

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0 /* the numbers of other machines have not been checked */
#endif

/* From here on every machine has the same numbers. An unknown call of these "is not there", as
 * on an older kernel: then libraries make the older call, which is in the table or not. So a
 * thread is begun by clone, whose flags can be seen, and not by clone3. */
enum { FIRST_NEW_CALL = 424 };

enum when { ALWAYS, LOADING, WRITING, READING, PREPARING /* or loading */ };

#define ANY 0xffffffffU

/* The low half of an argument is compared; of those asked about, the kernel reads no more. */
struct call {
    int number;
    enum when when;
    uint8_t arg;     /* 0-5 */
    uint32_t mask;   /* 0: whatever the arguments are */
    uint32_t wanted; /* arg & mask must be this */
    bool next;       /* so must the argument after it */
};

#define OWN_PID 0xfffffffeU /* as `wanted`: the number of this process */

static const struct call calls[] = {
    /* memory; no new code after the libraries have been loaded */
    { .number = __NR_mmap, .arg = 2, .mask = PROT_EXEC },
    { .number = __NR_mprotect, .arg = 2, .mask = PROT_EXEC },
    { .number = __NR_munmap },
    { .number = __NR_mremap },
    { .number = __NR_madvise },
    { .number = __NR_brk },
    { .number = __NR_mincore },
    { .number = __NR_mlock },
    { .number = __NR_munlock },

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    /* the leak checker is a process that looks at this one; UBSan reads memory through a pipe
     */
    { .number = __NR_clone },
    { .number = __NR_prctl },
    { .number = __NR_ptrace },
    { .number = __NR_wait4 },
    { .number = __NR_getppid },
    { .number = __NR_pipe2 },
    { .number = __NR_readlinkat },
#ifdef __NR_readlink
    { .number = __NR_readlink },
    { .number = __NR_getdents },
    { .number = __NR_open, .arg = 1, .mask = O_ACCMODE | O_CREAT | O_TRUNC },
#endif
#endif

    /* threads of this process; another process, which is glibc's fork(), only by the one that
     * starts the preparers (preparers.c) */
    { .number = __NR_clone, .mask = CLONE_THREAD, .wanted = CLONE_THREAD },
    { .number = __NR_clone,
      .when = LOADING,
      .mask = ANY,
      .wanted = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD },
    { .number = __NR_wait4 },
    { .number = __NR_getppid, .when = PREPARING },
    { .number = __NR_setitimer, .when = PREPARING },
    { .number = __NR_set_robust_list },
    { .number = __NR_rseq },
    { .number = __NR_futex },
    { .number = __NR_sched_yield },
    { .number = __NR_sched_getaffinity },
    /* 0, 0: of the calling thread */
    { .number = __NR_setpriority, .mask = ANY, .wanted = PRIO_PROCESS, .next = true },
    { .number = __NR_gettid },
    { .number = __NR_getpid },
    { .number = __NR_exit },
    { .number = __NR_exit_group },

    /* signals; to itself only, for abort() */
    { .number = __NR_rt_sigaction },
    { .number = __NR_rt_sigprocmask },
    { .number = __NR_rt_sigreturn },
    { .number = __NR_sigaltstack },
    { .number = __NR_tgkill, .mask = ANY, .wanted = OWN_PID },
    { .number = __NR_restart_syscall },

    /* the socket to the daemon, and waiting */
    { .number = __NR_recvfrom, .mask = ANY, .wanted = WORKER_FD },
    { .number = __NR_sendto, .mask = ANY, .wanted = WORKER_FD },
    { .number = __NR_ppoll },
#ifdef __NR_poll
    { .number = __NR_poll },
#endif
    { .number = __NR_eventfd2 },
    { .number = __NR_nanosleep },
    { .number = __NR_clock_nanosleep },

    /* files; which of them, see sandbox_files.c */
    { .number = __NR_openat, .when = WRITING },
    { .number = __NR_openat, .when = READING, .arg = 2, .mask = O_ACCMODE | O_CREAT | O_TRUNC },
    { .number = __NR_read },
    { .number = __NR_readv },
    { .number = __NR_pread64 },
    { .number = __NR_write },
    { .number = __NR_writev },
    { .number = __NR_lseek },
    { .number = __NR_close },
    { .number = __NR_fstat },
    { .number = __NR_newfstatat },
    { .number = __NR_statx },
    { .number = __NR_fcntl, .arg = 1, .mask = ANY - 7 }, /* flags and locks, no signals */
    { .number = __NR_fadvise64 },
    { .number = __NR_getdents64 },
    { .number = __NR_fstatfs, .when = WRITING },
    { .number = __NR_unlinkat, .when = WRITING },
#ifdef __NR_mkdir
    { .number = __NR_mkdir, .when = WRITING },
#endif
    { .number = __NR_mkdirat, .when = WRITING },
#ifdef __NR_renameat
    { .number = __NR_renameat, .when = WRITING },
#endif
    { .number = __NR_renameat2, .when = WRITING },
    { .number = __NR_utimensat, .when = WRITING },

    /* the machine */
    { .number = __NR_clock_gettime },
    { .number = __NR_clock_getres },
    { .number = __NR_gettimeofday },
    { .number = __NR_getrandom },
    { .number = __NR_getrusage },
    { .number = __NR_prlimit64, .mask = ANY },
    { .number = __NR_sysinfo },
    { .number = __NR_uname },

    /* the second stage */
    { .number = __NR_seccomp, .when = LOADING },
    { .number = __NR_prctl, .when = LOADING, .mask = ANY, .wanted = PR_SET_NO_NEW_PRIVS },
    { .number = __NR_landlock_create_ruleset, .when = LOADING },
    { .number = __NR_landlock_add_rule, .when = LOADING },
    { .number = __NR_landlock_restrict_self, .when = LOADING },
};
enum { CALLS = sizeof calls / sizeof calls[0], MAX_STEPS = 16 + 9 * CALLS };

/* Beside a driver: what none needs once it is open. */
static const int forbidden[] = {
    /* programs, processes and what is in them */
    __NR_execve,
    __NR_execveat,
    __NR_ptrace,
    __NR_process_vm_readv,
    __NR_process_vm_writev,
    __NR_kill,
    __NR_tkill,
    __NR_rt_sigqueueinfo,
    __NR_rt_tgsigqueueinfo,
#ifdef __NR_fork
    __NR_fork,
    __NR_vfork,
#endif

    /* the network, and other programs' sockets */
    __NR_socket,
    __NR_bind,
    __NR_connect,
    __NR_listen,
    __NR_accept,
    __NR_accept4,

/* files, as far as Landlock does not see it */
#ifdef __NR_chmod
    __NR_chmod,
    __NR_chown,
    __NR_lchown,
    __NR_link,
    __NR_symlink,
    __NR_utime,
    __NR_utimes,
    __NR_futimesat,
#endif
    __NR_fchmodat,
    __NR_fchownat,
    __NR_linkat,
    __NR_symlinkat,
    __NR_truncate,
    __NR_setxattr,
    __NR_lsetxattr,
    __NR_removexattr,
    __NR_lremovexattr,
    __NR_open_by_handle_at,

    /* the machine */
    __NR_mount,
    __NR_umount2,
    __NR_pivot_root,
    __NR_chroot,
    __NR_unshare,
    __NR_setns,
    __NR_bpf,
    __NR_perf_event_open,
    __NR_userfaultfd,
    __NR_add_key,
    __NR_request_key,
    __NR_keyctl,
    __NR_init_module,
    __NR_finit_module,
    __NR_delete_module,
    __NR_reboot,
    __NR_swapon,
    __NR_swapoff,
    __NR_settimeofday,
    __NR_clock_settime,
    __NR_sethostname,
};

struct program {
    struct sock_filter steps[MAX_STEPS];
    unsigned short count;
};

static void add(struct program *p, struct sock_filter step) {
    assert(p->count < MAX_STEPS);
    p->steps[p->count++] = step;
}

static void add_load(struct program *p, size_t offset) {
    add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void add_answer(struct program *p, uint32_t answer) {
    add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

/* Skip `steps` steps unless the accumulator is the value. */
static void add_unless(struct program *p, uint32_t value, uint8_t steps) {
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, steps));
}

#define ALLOW SECCOMP_RET_ALLOW
#define FORBID SECCOMP_RET_TRAP /* then sandbox_denied.c says EPERM */
#define NOT_THERE (SECCOMP_RET_ERRNO | ENOSYS)

/* The accumulator is the call's number, before and after. Both machines are little-endian: the
 * low half comes first. */
static void add_call(struct program *p, const struct call *call) {
    if (call->mask == 0) {
        add_unless(p, (uint32_t)call->number, 1);
        add_answer(p, ALLOW);
        return;
    }
    uint32_t wanted = call->wanted == OWN_PID ? (uint32_t)getpid() : call->wanted;
    uint8_t args = call->next ? 2 : 1;
    add_unless(p, (uint32_t)call->number, (uint8_t)(3 * args + 2));
    for (uint8_t i = 0; i < args; i++) {
        uint8_t left = (uint8_t)(args - i - 1);
        add_load(p, offsetof(struct seccomp_data, args) + (call->arg + i) * sizeof(uint64_t));
        add(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, call->mask));
        add_unless(p, wanted, (uint8_t)(3 * left + 1));
    }
    add_answer(p, ALLOW);
    add_load(p, offsetof(struct seccomp_data, nr));
}

static void make(struct program *p, enum sandbox_stage stage, bool writes) {
    const bool holds[] = { [ALWAYS] = true,
                           [LOADING] = stage == SANDBOX_LOADING,
                           [WRITING] = writes,
                           [READING] = !writes,
                           [PREPARING] = stage != SANDBOX_SERVING };
    add_load(p, offsetof(struct seccomp_data, arch));
    add_unless(p, ARCH, 1);
    add(p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
    add_answer(p, FORBID);
    add_load(p, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < CALLS; i++) {
        if (holds[calls[i].when]) add_call(p, &calls[i]);
    }
    /* x32 calls have bit 30 set and are none that a kernel of these machines must have, either
     */
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_NEW_CALL, 0, 1));
    add_answer(p, NOT_THERE);
    add_answer(p, FORBID);
}

/* Of the table above these are decided in the same way beside a driver: who may be begun and
 * ended, and what the second stage needs. */
static void add_shared(struct program *p, enum sandbox_stage stage) {
    for (size_t i = 0; i < CALLS; i++) {
        const struct call *call = &calls[i];
        bool shared = call->number == __NR_clone || call->number == __NR_tgkill ||
                      call->number >= FIRST_NEW_CALL;
        if (shared && (call->when == ALWAYS || stage == SANDBOX_LOADING)) add_call(p, call);
    }
}

static void add_forbidden(struct program *p, int number) {
    add_unless(p, (uint32_t)number, 1);
    add_answer(p, FORBID);
}

/* As make(), but what is not in the table is allowed. */
static void make_forbidding(struct program *p, enum sandbox_stage stage) {
    add_load(p, offsetof(struct seccomp_data, arch));
    add_unless(p, ARCH, 1);
    add(p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
    add_answer(p, FORBID);
    add_load(p, offsetof(struct seccomp_data, nr));
    add_shared(p, stage);
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        add_forbidden(p, forbidden[i]);
    add_forbidden(p, __NR_clone);
    add_forbidden(p, __NR_tgkill);
    add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_NEW_CALL, 0, 1));
    add_answer(p, NOT_THERE);
    add_answer(p, ALLOW);
}

/* For all threads. SPEC_ALLOW: without it kernels before 5.16 take a filter as a wish to
 * compute slowly and safely (no speculative loads past stores); nothing of others is in this
 * process. */
static bool install(const struct program *p) {
    sandbox_denied_watch();
    struct sock_fprog filter = { .len = p->count,
                                 .filter = (struct sock_filter *)(uintptr_t)p->steps };
    return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
                   SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter) == 0;
}

bool sandbox_calls_limit(enum sandbox_stage stage, bool writes) {
    if (ARCH == 0) return false;
    struct program p = { 0 };
    make(&p, stage, writes);
    return install(&p);
}

bool sandbox_calls_forbid(enum sandbox_stage stage) {
    if (ARCH == 0) return false;
    struct program p = { 0 };
    make_forbidding(&p, stage);
    return install(&p);
}
