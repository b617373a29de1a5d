/* SPDX-License-Identifier: MIT */
/* history_query.h - which part of the history is asked for. Pure. */
#ifndef DOZE_DAEMON_HISTORY_QUERY_H
#define DOZE_DAEMON_HISTORY_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/msec.h"

enum { HISTORY_LIMIT_DEFAULT = 10000, HISTORY_LIMIT_MAX = 50000 };

struct history_query {
    msec from, until; /* Unix ms, both included */
    int64_t limit;    /* of events and of samples, each: the newest */
};

/* Read the fields of a URL; NULL: not given. Points in time are Unix ms ("1795352746066") or a
 * span before `now` as in duration.h, with a unit ("1d", "1h30m"). Default: the day before
 * `until`, which is now. Fails with ERR_INVALID_REQUEST and the field's name. */
bool history_query_parse(const char *since, const char *until, const char *limit, msec now,
                         struct history_query *ret_query, struct error *err);

#endif
