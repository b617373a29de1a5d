/* SPDX-License-Identifier: MIT */
/* load_cancel.h - ends a load whose client was interrupted. */
#ifndef DOZE_CLI_LOAD_CANCEL_H
#define DOZE_CLI_LOAD_CANCEL_H

#include "cli/client.h"

/* Call after the connection of the load is closed. The server continues a load for a while
 * after its client leaves (docs/lifecycle.md, JIT loading, rule 4), so this unloads the
 * instance, unless other requests use it or wait for it. Prints what became of the load and
 * returns the exit code. model: as it was sent to the server; identifier: NULL if none was. */
enum cli_exit load_cancel(const struct cli *cli, const char *model, const char *identifier);

#endif
