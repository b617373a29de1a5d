/* SPDX-License-Identifier: MIT */
#include "engine/sandbox.h"

#include <stddef.h>
#include <sys/prctl.h>

#include "engine/sandbox_calls.h"
#include "engine/sandbox_files.h"

/* Why there is none at all; NULL: nothing speaks against it. */
static const char *why_not(void) {
#ifdef DOZE_COVERAGE
    return "Workers run without a sandbox because this build counts what is executed, in files "
           "beside its objects.";
#endif
    return NULL;
}

#define TRUST "load only models that you trust."

/* By what holds: [calls][files]. */
static const char *const sentences[2][2] = {
    { "Workers run without a sandbox, as neither seccomp nor Landlock is available "
      "here: " TRUST,
      "Workers run with half a sandbox, as seccomp is not available here: " TRUST },
    { "Workers run with half a sandbox, as Landlock (Linux 5.13 and newer) is not available "
      "here: they can read your files, though neither change them nor use sockets and "
      "programs, and keep processed prompts in memory only; switch Landlock on (the kernel's "
      "option lsm=), or " TRUST,
      NULL },
};

static const char driver_sentence[] =
    "Workers that use a graphics card can read your files, as its driver needs rights that "
    "cannot be listed; they can neither change files nor use sockets and programs.";

void sandbox_enter(struct sandbox *sandbox, enum sandbox_stage stage,
                   const struct sandbox_rights *rights) {
    if (stage != SANDBOX_SERVING) {
        *sandbox = (struct sandbox){ 0 };
        sandbox->missing = why_not();
        if (sandbox->missing) return;
        sandbox->calls = sandbox->files = true;
    }
    /* Without it only root may do this; a program could be started that has more rights. */
    if (sandbox->calls || sandbox->files) (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sandbox->files = sandbox->files && sandbox_files_limit(rights);
    sandbox->driver = rights->driver;
    if (rights->driver)
        sandbox->calls = sandbox->calls && sandbox_calls_forbid(stage);
    else
        sandbox->calls = sandbox->calls &&
                         sandbox_calls_limit(stage, rights->prompts && sandbox->files);
    if (!sandbox->missing) sandbox->missing = sentences[sandbox->calls][sandbox->files];
    if (!sandbox->missing && rights->driver) sandbox->missing = driver_sentence;
}

const char *sandbox_word(const struct sandbox *sandbox) {
    static const char *const words[2][2] = { { "none", "files" }, { "calls", "full" } };
    if (sandbox->calls && sandbox->files && sandbox->driver) return "driver";
    return words[sandbox->calls][sandbox->files];
}

bool sandbox_writes(const struct sandbox *sandbox) {
    return sandbox->files || sandbox->driver || !sandbox->calls;
}
