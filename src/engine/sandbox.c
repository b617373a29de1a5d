/* SPDX-License-Identifier: MIT */
#include "engine/sandbox.h"

#include <stddef.h>
#include <sys/prctl.h>

#include "engine/backends.h"
#include "engine/sandbox_calls.h"
#include "engine/sandbox_files.h"

/* Why there is none at all; NULL: nothing speaks against it. */
static const char *why_not(enum sandbox_stage stage) {
#ifdef DOZE_COVERAGE
    (void)stage;
    return "Workers run without a sandbox because this build counts what is executed, in files "
           "beside its objects.";
#endif
    if (stage == SANDBOX_PREPARING || !backends_have_gpu()) return NULL;
    return "Workers run without a sandbox because this machine's GPU is used: its driver needs "
           "rights that cannot be listed.";
}

#define TRUST "load only models that you trust."

/* By what holds: [calls][files]. */
static const char *const sentences[2][2] = {
    { "Workers run without a sandbox, as neither seccomp nor Landlock is to be had "
      "here: " TRUST,
      "Workers run with half a sandbox, as seccomp is not to be had here: " TRUST },
    { "Workers run with half a sandbox, as Landlock (Linux 5.13 and newer) is not to be had "
      "here: they can read your files, though neither change them nor use sockets and "
      "programs, and keep processed prompts in memory only; switch Landlock on (the kernel's "
      "option lsm=), or " TRUST,
      NULL },
};

void sandbox_enter(struct sandbox *sandbox, enum sandbox_stage stage,
                   const struct sandbox_rights *rights) {
    if (stage != SANDBOX_SERVING) {
        *sandbox = (struct sandbox){ 0 };
        sandbox->missing = why_not(stage);
        if (sandbox->missing) return;
        sandbox->calls = sandbox->files = true;
    }
    /* Without it only root may do this; a program could be started that has more rights. */
    if (sandbox->calls || sandbox->files) (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sandbox->files = sandbox->files && sandbox_files_limit(rights);
    sandbox->calls = sandbox->calls &&
                     sandbox_calls_limit(stage, rights->prompts && sandbox->files);
    if (!sandbox->missing) sandbox->missing = sentences[sandbox->calls][sandbox->files];
}

const char *sandbox_word(const struct sandbox *sandbox) {
    static const char *const words[2][2] = { { "none", "files" }, { "calls", "full" } };
    return words[sandbox->calls][sandbox->files];
}

bool sandbox_writes(const struct sandbox *sandbox) {
    return sandbox->files || !sandbox->calls;
}
