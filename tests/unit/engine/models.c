/* SPDX-License-Identifier: MIT */
#include "models.h"

#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cmocka_prelude.h"

enum { MAX_ARGS = 32 };

static void run(char *const *args) {
    pid_t pid;
    int status = -1;
    assert_int_equal(posix_spawn(&pid, args[0], NULL, NULL, args, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

char *model_make(const char *name, const char *kind, ...) {
    char *path = xasprintf("%s/%s.gguf", MODELS_DIR, name);
    if (access(path, R_OK) == 0) return path;
    (void)mkdir(MODELS_DIR, 0755);
    char *fresh = xasprintf("%s.%d", path, (int)getpid()); /* others may make it, too */
    char *args[MAX_ARGS] = { xstrdup(MAKE_MODEL), xstrdup(kind), xstrdup("--out"), fresh };
    int count = 4;
    va_list list;
    va_start(list, kind);
    for (const char *arg; (arg = va_arg(list, const char *));) {
        assert_true(count < MAX_ARGS - 1);
        args[count++] = xstrdup(arg);
    }
    va_end(list);
    run(args);
    assert_int_equal(rename(fresh, path), 0);
    for (int i = 0; i < count; i++) free(args[i]);
    return path;
}
