/* SPDX-License-Identifier: MIT */
#include "supervisor/pressure.h"

enum pressure_relief pressure_felt(struct pressure *pressure, msec now) {
    bool lasted = pressure_lasts(pressure, now);
    pressure->over = now + PRESSURE_CALM;
    return lasted ? PRESSURE_INSTANCE_LEAVES : PRESSURE_SPARE_LEAVES;
}

bool pressure_lasts(const struct pressure *pressure, msec now) {
    return now < pressure->over;
}
