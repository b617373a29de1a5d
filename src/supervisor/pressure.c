/* SPDX-License-Identifier: MIT */
#include "supervisor/pressure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum pressure_relief pressure_felt(struct pressure *pressure, msec now) {
    bool lasted = pressure_lasts(pressure, now);
    pressure->over = now + PRESSURE_CALM;
    return lasted ? PRESSURE_INSTANCE_LEAVES : PRESSURE_SPARE_LEAVES;
}

bool pressure_lasts(const struct pressure *pressure, msec now) {
    return now < pressure->over;
}

bool pressure_has_grown(const char *text, uint64_t least, uint64_t *total) {
    const char *some = strstr(text, "some "), *found = some ? strstr(some, "total=") : NULL;
    uint64_t before = *total;
    if (!found || sscanf(found, "total=%" SCNu64, total) != 1) return true;
    return *total - before >= least;
}
