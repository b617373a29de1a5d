/* SPDX-License-Identifier: MIT */
/* disk_free.h - how much may still be written to a disk. */
#ifndef DOZE_BASE_DISK_FREE_H
#define DOZE_BASE_DISK_FREE_H

#include "base/msec.h"

/* Left free on the disk by everything that doze fetches: bytes. */
#define DISK_KEPT ((nbytes)1000000000)

/* Bytes that may still be written to the disk of the folder, which need not be there yet; 0:
 * not known. */
nbytes disk_free(const char *folder);

#endif
