/* SPDX-License-Identifier: MIT */
/*
 * prompt_files.h - the prompt store's folder as the daemon sees it: what is in it, what to
 * delete.
 *
 *   <state folder>/prompts/<model's folder>/<16 hex digits>.prompt
 *
 * Workers write the files and read them; each appears as a whole, and a worker that misses
 * one processes the prompt again, so any may be deleted at any time. Only names that the
 * store makes are touched. These functions block on the disk: not for the loop's thread.
 */
#ifndef DOZE_DAEMON_PROMPT_FILES_H
#define DOZE_DAEMON_PROMPT_FILES_H

#include <stddef.h>
#include <stdint.h>

/* More files than this are not looked at. */
enum { PROMPT_FILES_MAX = 1 << 16 };

struct prompt_file {
    char *path;
    const char *folder; /* last but one part of path; owned by the list */
    uint64_t tokens, bytes;
    int64_t used; /* Unix ms */
};

struct prompt_files {
    struct prompt_file *list; /* of one folder together */
    size_t count, cap;
    char **folders;
    size_t folder_count;
};

/* List what is in the store. Also deletes files that have the name of an entry but are none of
 * this version, and what a killed worker left unfinished at least a minute ago. */
void prompt_files_scan(const char *dir, int64_t now, struct prompt_files *ret);
void prompt_files_clear(struct prompt_files *files);

uint64_t prompt_files_bytes(const struct prompt_files *files);

/* Delete all files of a model's folder (NULL: of all). How many. */
size_t prompt_files_delete(struct prompt_files *files, const char *folder);

/* Delete the least valuable until the rest has at most `budget` bytes. How many. */
size_t prompt_files_fit(struct prompt_files *files, uint64_t budget, int64_t now);

/* What the store may take on this disk: `wanted`, and at most half of what is free without it.
 */
uint64_t prompt_files_budget(const char *dir, uint64_t wanted, uint64_t taken);

#endif
