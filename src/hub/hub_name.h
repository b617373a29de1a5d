/* SPDX-License-Identifier: MIT */
/*
 * hub_name.h - what people call a model on a hub, taken apart. Pure.
 *
 *   owner/repo                    owner/repo@q4_k_m            owner/repo:Q4_K_M
 *   owner/repo/file.gguf          hf.co/owner/repo:Q4_K_M
 *   https://HOST/owner/repo[/tree/REVISION]
 *   https://HOST/owner/repo/(resolve|blob)/REVISION/path/file.gguf
 *
 * Anything else is words to search for. A host is only skipped: downloads always come from the
 * hub that doze is set to.
 */
#ifndef DOZE_HUB_HUB_NAME_H
#define DOZE_HUB_HUB_NAME_H

#include <stdbool.h>

enum { HUB_NAME_PART = 128, HUB_NAME_PATH = 512 };

/* Every part is safe in a URL's path and as a file's name: letters, digits, '-', '_', '.', not
 * beginning with a '.'; a path has such parts with '/' between them. "" if not given. */
struct hub_name {
    char owner[HUB_NAME_PART], repo[HUB_NAME_PART];
    char quantization[32];
    char revision[HUB_NAME_PART]; /* branch, tag or commit */
    char file[HUB_NAME_PATH];     /* its path in the repository */
};

/* False if the text names no repository. */
bool hub_name_parse(const char *text, struct hub_name *ret) __attribute__((warn_unused_result));

/* May the path be that of a file in a repository, and be used as a file's name here? */
bool hub_path_is_safe(const char *path);

#endif
