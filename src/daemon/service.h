/* SPDX-License-Identifier: MIT */
/* service.h - the supervisor as the service that dialects use (api/service.h). */
#ifndef DOZE_DAEMON_SERVICE_H
#define DOZE_DAEMON_SERVICE_H

#include "api/service.h"
#include "supervisor/supervisor.h"

/* Valid for the supervisor's life. */
struct service service_of(struct supervisor *sup);

#endif
