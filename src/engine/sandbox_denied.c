/* SPDX-License-Identifier: MIT */
#include "engine/sandbox_denied.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <ucontext.h>

enum { NUMBERS = 512 }; /* the last stands for all others */

static atomic_uint counts[NUMBERS];
static atomic_bool news; /* since the last look */
static bool told[NUMBERS];

static int place_of(int number) {
    return number >= 0 && number < NUMBERS ? number : NUMBERS - 1;
}

static void set_result(ucontext_t *context, long result) {
#if defined(__x86_64__)
    context->uc_mcontext.gregs[REG_RAX] = result;
#elif defined(__aarch64__)
    context->uc_mcontext.regs[0] = (unsigned long long)result;
#endif
}

static void on_denied(int signal, siginfo_t *info, void *context) {
    (void)signal;
    atomic_fetch_add(&counts[place_of(info->si_syscall)], 1);
    atomic_store(&news, true);
    set_result(context, -EPERM);
}

void sandbox_denied_watch(void) {
    struct sigaction action = { .sa_sigaction = on_denied,
                                .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };
    (void)sigaction(SIGSYS, &action, NULL);
}

bool sandbox_denied_take(int *ret_number) {
    if (!atomic_exchange(&news, false)) return false;
    for (int i = 0; i < NUMBERS; i++) {
        if (told[i] || atomic_load(&counts[i]) == 0) continue;
        told[i] = true;
        *ret_number = i;
        atomic_store(&news, true); /* there may be more */
        return true;
    }
    return false;
}

unsigned sandbox_denied_count(int number) {
    return atomic_load(&counts[place_of(number)]);
}
