/* SPDX-License-Identifier: MIT */
/* serve.h - `doze serve`: the daemon, from its flags to its exit code. */
#ifndef DOZE_DAEMON_SERVE_H
#define DOZE_DAEMON_SERVE_H

/* argv[0] is "serve". Returns 0 after a clean stop, 1 if it could not run, 2 for wrong flags;
 * says why on stderr. */
int daemon_serve(int argc, char **argv);

#endif
