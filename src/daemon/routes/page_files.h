/* SPDX-License-Identifier: MIT */
/*
 * page_files.h - the files of the web page, as the build embeds them (cmake/embed.cmake makes
 * page_files.c from web/dist).
 */
#ifndef DOZE_DAEMON_ROUTES_PAGE_FILES_H
#define DOZE_DAEMON_ROUTES_PAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct page_file {
    const char *path; /* "/", "/assets/index-3f2a.js" */
    const char *content_type;
    const char *etag; /* with its quotes */
    bool gzipped;
    const unsigned char *bytes;
    size_t len;
};

extern const struct page_file page_files[];
extern const size_t page_file_count;

#endif
