/* SPDX-License-Identifier: MIT */
/* load_cancel.h - ends a load whose client was interrupted. */
#ifndef DOZE_CLI_LOAD_CANCEL_H
#define DOZE_CLI_LOAD_CANCEL_H

#include "cli/client.h"

/* Call after the connection of the load was closed: the server goes on with a load for a while
 * after its client has left (docs/lifecycle.md, JIT loading, rule 4). Unload its instance,
 * unless other requests wait for it or use it. Prints what became of the load and returns the
 * exit code. model: as the server was asked for it; identifier: of the instance, NULL if none
 * was asked for. */
enum cli_exit load_cancel(const struct cli *cli, const char *model, const char *identifier);

#endif
