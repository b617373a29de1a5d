/* SPDX-License-Identifier: MIT */
/* relief.c - what leaves when programs wait for memory. */
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/internal.h"

void supervisor_pressure(struct supervisor *sup) {
    if (sup->lc.shutting_down) return;
    enum pressure_relief relief = pressure_felt(&sup->pressure, clock_boottime());
    if (park_first_to_leave(parked_places(sup->parked)) >= 0) {
        supervisor_give_up_parked(sup, PARKED_FOR_PRESSURE, 0);
        relief = PRESSURE_SPARE_LEAVES;
    }
    if (!sup->config.settings->evict_on_pressure) return;
    switch (relief) {
    case PRESSURE_SPARE_LEAVES:
        log_info("programs wait for memory: no spare worker is kept until that is over");
        standby_drop(sup->standby);
        return;
    case PRESSURE_INSTANCE_LEAVES:
        if (supervisor_take_back(sup)) {
            log_info("programs wait for memory: what was lent to another node is taken back");
            return;
        }
        supervisor_post(sup, (struct lc_event){ .kind = LC_EV_PRESSURE });
        return;
    }
}
