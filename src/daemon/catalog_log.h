/* SPDX-License-Identifier: MIT */
/* catalog_log.h - what is logged after a scan of the model folders. */
#ifndef DOZE_DAEMON_CATALOG_LOG_H
#define DOZE_DAEMON_CATALOG_LOG_H

#include "catalog/catalog.h"

/* Log how many models there are, or how to get one, and what is wrong with others, each if that
 * is new. before: the catalog of the scan before; may be NULL. */
void catalog_log(const struct catalog *catalog, const struct catalog *before);

#endif
