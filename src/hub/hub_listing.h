/* SPDX-License-Identifier: MIT */
/*
 * hub_listing.h - what a hub says about its repositories, read from its JSON. Pure; nothing of
 * it is trusted.
 *
 * The API is that of huggingface.co: GET /api/models/{owner}/{repo}/refs,
 * /api/models/{owner}/{repo}/tree/{commit}?recursive=true, /api/models?search=…
 */
#ifndef DOZE_HUB_HUB_LISTING_H
#define DOZE_HUB_HUB_LISTING_H

#include <stddef.h>

#include "base/error.h"
#include "base/msec.h"
#include "hub/hub_name.h"

enum { HUB_SHA256_SIZE = 65, HUB_COMMIT_SIZE = 41 };

struct hub_file {
    char path[HUB_NAME_PATH];
    nbytes size;
    char sha256[HUB_SHA256_SIZE]; /* in hexadecimal, lower case; "" if the hub gives none */
};

struct hub_files {
    struct hub_file *list;
    size_t count;
};

/* One page of a tree: append its GGUF files; others, and those whose path is not safe, are
 * skipped. At most 10,000 files are kept. Fails with ERR_IO if it is not such a page. */
bool hub_read_tree(const char *json, size_t len, struct hub_files *files, struct error *err);
void hub_files_clear(struct hub_files *files);

/* The commit that a branch or tag stands for. A whole commit number stands for itself. Fails
 * with ERR_NOT_FOUND if there is no such revision, ERR_IO if it is not a list of refs. */
bool hub_read_commit(const char *json, size_t len, const char *revision,
                     char ret_commit[HUB_COMMIT_SIZE], struct error *err);

struct hub_found {
    char name[2 * HUB_NAME_PART]; /* "owner/repo" */
    uint64_t downloads, likes;
};

/* The results of a search, in its order: at most `max`. Returns how many were stored; 0 with
 * *err if it is not a list. */
size_t hub_read_search(const char *json, size_t len, struct hub_found *ret, size_t max,
                       struct error *err);

/* The URL of the next page from a Link header (RFC 8288): the target whose rel is "next".
 * Borrowed from the header, *ret_len bytes; NULL if there is none. */
const char *hub_next_page(const char *link, size_t *ret_len);

#endif
