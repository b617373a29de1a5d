/* SPDX-License-Identifier: MIT */
/* devices.h - the devices beside the processor that this engine can compute on. */
#ifndef DOZE_ENGINE_DEVICES_H
#define DOZE_ENGINE_DEVICES_H

#include <stdbool.h>

/* Load the backends and print the devices as JSON on stdout (supervisor/engine_report.h). False
 * if it cannot be written. */
bool devices_print(void);

#endif
