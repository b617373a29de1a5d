/* SPDX-License-Identifier: MIT */
/*
 * partial_file.h - a file that is being downloaded: NAME.part, which grows at its end, and
 * NAME.part.json, which names its source. It becomes NAME when it is complete and its checksum
 * is right, never before.
 *
 * These functions block. Errors are ERR_IO; a full disk is `full`.
 */
#ifndef DOZE_HUB_PARTIAL_FILE_H
#define DOZE_HUB_PARTIAL_FILE_H

#include <nettle/sha2.h>

#include "base/error.h"
#include "base/msec.h"

/* What the bytes are of. */
struct partial_source {
    const char *url, *etag, *sha256; /* sha256: "" if unknown */
    nbytes size;
};

struct partial_file {
    char *path; /* NAME */
    char *part, *state;
    int fd;
    nbytes done, size;
    struct sha256_ctx hash; /* of the bytes that are there */
    char sha256[65];
    bool full; /* the last failure was for want of room on the disk */
};

/* Open NAME.part at its end and compute the checksum of what is there; from nothing if it is
 * of another source. */
bool partial_open(struct partial_file *file, const char *path,
                  const struct partial_source *source, struct error *err);
/* Close; what is there stays. Accepts a zeroed one. */
void partial_close(struct partial_file *file);

/* Append. More bytes than the source has are refused. */
bool partial_add(struct partial_file *file, const char *bytes, size_t len, struct error *err);
/* Begin again with nothing. */
bool partial_restart(struct partial_file *file, struct error *err);

bool partial_is_whole(const struct partial_file *file);
/* Of a complete file: is its checksum right? True if none is known. */
bool partial_is_right(const struct partial_file *file);
/* Write all of it to the disk, and keep its checksum with it (base/file_sum.h). */
bool partial_sync(struct partial_file *file, struct error *err);

/* Keep a wrong file as NAME.part.wrong for inspection, replacing an older one, and begin again
 * with nothing. */
bool partial_set_aside(struct partial_file *file, struct error *err);

/* NAME.part, which is whole and closed, gets its name. The state is removed. */
bool partial_rename(const char *path, struct error *err);
/* ... or another one. */
bool partial_rename_to(const char *path, const char *to, struct error *err);

/* Remove the files of an unfinished download of this path. */
void partial_remove(const char *path);

#endif
