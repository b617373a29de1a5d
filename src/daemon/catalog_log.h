/* SPDX-License-Identifier: MIT */
/* catalog_log.h - what the log says after the model folders were read. */
#ifndef DOZE_DAEMON_CATALOG_LOG_H
#define DOZE_DAEMON_CATALOG_LOG_H

#include "catalog/catalog.h"

/* How many models there are, and what is wrong with the others, if that was not so before.
 * before: the catalog of the last time; may be NULL. */
void catalog_log(const struct catalog *catalog, const struct catalog *before);

#endif
