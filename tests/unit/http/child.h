/* SPDX-License-Identifier: MIT */
/* child.h - the server behind fixture.h. */
#ifndef DOZE_TEST_HTTP_CHILD_H
#define DOZE_TEST_HTTP_CHILD_H

#include "fixture.h"

/* Serve until told to close; the first line of events is the port. Returns the exit status. */
int child_run(const struct http_limits *limits, bool cors, int commands, int events);

#endif
