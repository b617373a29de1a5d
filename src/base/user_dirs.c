/* SPDX-License-Identifier: MIT */
#include "base/user_dirs.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"

const char *user_home(void) {
    const char *dir = getenv("HOME");
    if (dir && *dir) return dir;
    /* cppcheck-suppress getpwuidCalled ; main thread only */
    const struct passwd *user = getpwuid(getuid());
    return user ? user->pw_dir : "/";
}

char *user_dir(const char *variable, const char *fallback, const char *rest) {
    const char *dir = getenv(variable);
    if (dir && *dir == '/') return xasprintf("%s/%s", dir, rest);
    return xasprintf("%s/%s/%s", user_home(), fallback, rest);
}

char *user_state_dir(void) {
    const char *dir = getenv("DOZE_STATE_DIR");
    if (dir && *dir) return xstrdup(dir);
    return user_dir("XDG_STATE_HOME", ".local/state", "doze");
}
