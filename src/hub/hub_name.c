/* SPDX-License-Identifier: MIT */
#include "hub/hub_name.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

/* Copy a part of a path; false if it is empty, too long, or not safe. */
static bool take_part(const char *from, size_t len, char *ret, size_t size) {
    if (len == 0 || len >= size || from[0] == '.') return false;
    if (strspn(from, plain) < len) return false;
    memcpy(ret, from, len);
    ret[len] = '\0';
    return true;
}

bool hub_path_is_safe(const char *path) {
    char part[HUB_NAME_PART];
    if (strlen(path) >= HUB_NAME_PATH) return false;
    for (;;) {
        size_t len = strcspn(path, "/");
        if (!take_part(path, len, part, sizeof part)) return false;
        if (path[len] == '\0') return true;
        path += len + 1;
    }
}

static const char *skip_prefix(const char *text, const char *prefix) {
    size_t len = strlen(prefix);
    return strncasecmp(text, prefix, len) == 0 ? text + len : NULL;
}

/* What follows the host; the text itself if it has none. NULL: a URL of nothing. */
static const char *skip_host(const char *text) {
    const char *host = skip_prefix(text, "https://");
    if (!host) host = skip_prefix(text, "http://");
    if (host) {
        const char *path = strchr(host, '/');
        return path ? path + 1 : NULL;
    }
    const char *rest = skip_prefix(text, "hf.co/");
    if (!rest) rest = skip_prefix(text, "huggingface.co/");
    return rest ? rest : text;
}

/* "tree/main", "resolve/main/file.gguf", "blob/main/file.gguf", or "file.gguf" */
static bool parse_rest(const char *rest, size_t len, struct hub_name *ret) {
    static const char *const words[] = { "tree/", "resolve/", "blob/" };
    char path[HUB_NAME_PATH];
    if (len >= sizeof path) return false;
    memcpy(path, rest, len);
    path[len] = '\0';
    const char *file = path;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *revision = skip_prefix(path, words[i]);
        if (!revision) continue;
        size_t revision_len = strcspn(revision, "/");
        if (!take_part(revision, revision_len, ret->revision, sizeof ret->revision))
            return false;
        file = revision + revision_len + (revision[revision_len] == '/');
    }
    if (*file == '\0') return true;
    (void)snprintf(ret->file, sizeof ret->file, "%s", file);
    return hub_path_is_safe(file);
}

bool hub_name_parse(const char *text, struct hub_name *ret) {
    *ret = (struct hub_name){ 0 };
    text = skip_host(text);
    if (!text) return false;
    size_t len = strcspn(text, "@:?#"), owner_len = strcspn(text, "/");
    while (len > 0 && text[len - 1] == '/') len--;
    if (owner_len >= len) return false;
    const char *repo = text + owner_len + 1;
    size_t repo_len = strcspn(repo, "/@:?#");
    if (!take_part(text, owner_len, ret->owner, sizeof ret->owner) ||
        !take_part(repo, repo_len, ret->repo, sizeof ret->repo))
        return false;
    const char *end = text + len, *rest = repo + repo_len;
    if (rest < end && !parse_rest(rest + 1, (size_t)(end - rest - 1), ret)) return false;
    const char *mark = text + strcspn(text, "@:?#");
    if (*mark != '@' && *mark != ':') return true;
    return take_part(mark + 1, strlen(mark + 1), ret->quantization, sizeof ret->quantization);
}
