/* SPDX-License-Identifier: MIT */
/*
 * engine_report.h - the devices that an engine finds, as `doze-engine --devices` prints. Pure.
 *     {"devices":[{"name","description","total_bytes":n,"free_bytes":n}],"problem":"…"}
 */
#ifndef DOZE_SUPERVISOR_ENGINE_REPORT_H
#define DOZE_SUPERVISOR_ENGINE_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/msec.h"

enum { ENGINE_DEVICES_MAX = 16 };

struct engine_device {
    char name[32], description[128]; /* "Vulkan0", "AMD Radeon RX 7900 XTX (RADV NAVI31)" */
    nbytes total, free;
};

struct engine_report {
    struct engine_device devices[ENGINE_DEVICES_MAX];
    size_t count;
    char problem[256]; /* why there are none, if the engine can tell; "" */
};

/* Further devices are left out. ERR_INVALID_REQUEST: it is not a report. */
bool engine_report_parse(const char *text, size_t len, struct engine_report *ret,
                         struct error *err) __attribute__((warn_unused_result));

#endif
