/* SPDX-License-Identifier: MIT */
/* download.h - downloads as others see them. */
#ifndef DOZE_HUB_DOWNLOAD_H
#define DOZE_HUB_DOWNLOAD_H

#include <stdbool.h>

#include "base/error.h"
#include "base/msec.h"
#include "hub/hub_listing.h"

enum { DOWNLOAD_ID_SIZE = 24 };

enum download_status {
    DOWNLOAD_RUNNING,
    DOWNLOAD_PAUSED,
    DOWNLOAD_COMPLETED,
    DOWNLOAD_FAILED,
    DOWNLOAD_ALREADY, /* nothing to do: the files were there before */
    DOWNLOAD_PLANNED, /* only asked about */
    DOWNLOAD_REMOVED, /* and what was fetched with it */
};
enum { DOWNLOAD_STATUS_COUNT = DOWNLOAD_REMOVED + 1 };

/* "downloading", ..., as LM Studio names them; "planned" and "removed" are doze's. */
const char *download_status_name(enum download_status status);

struct download_view {
    const char *id; /* NULL: it is no job (DOWNLOAD_ALREADY, DOWNLOAD_PLANNED) */
    const char *repo, *quantization, *folder;
    const struct hub_file *files;
    size_t file_count;
    enum download_status status;
    nbytes total, done;
    nbytes disk_free;              /* DOWNLOAD_PLANNED: on the disk of the folder */
    bool fits;                     /* the machine's memory */
    double rate;                   /* bytes a second; 0: unknown */
    msec started_at, completed_at; /* Unix ms; 0: not yet */
    const char *error;             /* why it failed, is paused or waits; NULL: none */
};

#endif
