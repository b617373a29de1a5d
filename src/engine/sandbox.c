/* SPDX-License-Identifier: MIT */
#include "engine/sandbox.h"

#include <ggml-backend.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "engine/sandbox_calls.h"
#include "engine/sandbox_files.h"

static bool has_gpu(void) {
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        enum ggml_backend_dev_type type = ggml_backend_dev_type(ggml_backend_dev_get(i));
        if (type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU) {
            return true;
        }
    }
    return false;
}

/* By what holds: [calls][files]. */
static const char *const sentences[2][2] = {
    { "Workers run without a sandbox: this kernel, or the container, offers neither Landlock "
      "nor "
      "seccomp; load only models that you trust.",
      "The sandbox of workers is incomplete: seccomp is not to be had here, so that they may "
      "open "
      "sockets and start programs; load only models that you trust." },
    { "The sandbox of workers is incomplete: Landlock is not to be had here (Linux 5.13 and "
      "newer), so that they may read your files, but not send them anywhere.",
      NULL },
};

void sandbox_enter(struct sandbox *sandbox, enum sandbox_stage stage,
                   const struct sandbox_rights *rights) {
    if (stage == SANDBOX_LOADING) {
        *sandbox = (struct sandbox){ 0 };
        if (has_gpu()) {
            sandbox->missing =
                "Workers run without a sandbox because this machine's GPU is used: "
                "its driver needs rights that cannot be listed.";
            return;
        }
        sandbox->calls = sandbox->files = true;
    }
    /* Without it only root may do this; a program could be started that has more rights. */
    if (sandbox->calls || sandbox->files) (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    sandbox->files = sandbox->files && sandbox_files_limit(rights);
    sandbox->calls = sandbox->calls && sandbox_calls_limit(stage, rights->prompts != NULL);
    if (!sandbox->missing) sandbox->missing = sentences[sandbox->calls][sandbox->files];
}

const char *sandbox_word(const struct sandbox *sandbox) {
    static const char *const words[2][2] = { { "none", "files" }, { "calls", "full" } };
    return words[sandbox->calls][sandbox->files];
}
