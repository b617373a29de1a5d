/* SPDX-License-Identifier: MIT */
/* user_dirs.h - where a user's files are: XDG Base Directory Specification 0.8. Main thread. */
#ifndef DOZE_BASE_USER_DIRS_H
#define DOZE_BASE_USER_DIRS_H

/* $HOME, else what the user database says, else "/". Borrowed until the environment changes. */
const char *user_home(void);

/* "$variable/rest" if the variable holds an absolute path, else "~/fallback/rest". The caller
 * frees. */
char *user_dir(const char *variable, const char *fallback, const char *rest);

/* Where the daemon keeps its settings and doze.log unless --state-dir says otherwise:
 * $DOZE_STATE_DIR, else $XDG_STATE_HOME/doze, else ~/.local/state/doze. The caller frees. */
char *user_state_dir(void);

#endif
