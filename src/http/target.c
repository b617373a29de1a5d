/* SPDX-License-Identifier: MIT */
#include "http/target.h"

#include <string.h>
#include <strings.h>

#include "base/percent.h"

static bool decode_field(char *text) {
    for (char *p = text; *p; p++) {
        if (*p == '+') *p = ' ';
    }
    return percent_decode(text);
}

static bool add_pair(struct buf *out, char *pair) {
    char none[] = "";
    char *value = strchr(pair, '=');
    if (value) *value++ = '\0';
    if (!value) value = none;
    if (!decode_field(pair) || !decode_field(value)) return false;
    return buf_add(out, pair, strlen(pair) + 1) && buf_add(out, value, strlen(value) + 1);
}

static bool parse_query(struct buf *out, char *text) {
    for (char *pair = text; pair;) {
        char *next = strchr(pair, '&');
        if (next) *next++ = '\0';
        if (*pair && !add_pair(out, pair)) return false;
        pair = next;
    }
    return true;
}

/* "http://host/x" -> "host" NUL "/x". The scheme's room takes the NUL between the two. */
static char *split_absolute(struct target *t, char *text) {
    char *host = text + strlen("http://");
    size_t len = strcspn(host, "/?#");
    if (len == 0 || memchr(host, '@', len)) return NULL;
    memmove(text, host, len);
    text[len] = '\0';
    t->authority = text;
    return host + len;
}

bool target_parse(struct target *t, char *text, struct error *err) {
    *t = (struct target){ .path = "/" };
    char *path = text;
    if (strncasecmp(text, "http://", strlen("http://")) == 0) path = split_absolute(t, text);
    if (path) path[strcspn(path, "#")] = '\0';
    bool known = path && (*path == '/' || strcmp(path, "*") == 0 ||
                          (t->authority && (*path == '?' || !*path)));
    if (!known) {
        return error_set(err, ERR_INVALID_REQUEST,
                         "The request target is not a path; ask for one such as /v1/models.");
    }
    char *query = strchr(path, '?');
    if (query) *query++ = '\0';
    if (query) buf_init(&t->query, 2 * strlen(query) + 2);
    if (*path) t->path = path;
    if (percent_decode(path) && (!query || parse_query(&t->query, query))) return true;
    return error_set(
        err, ERR_INVALID_REQUEST,
        "The request target has a bad percent escape; write %%25 for a percent sign.");
}

void target_clear(struct target *t) {
    buf_clear(&t->query);
}

const char *target_query(const struct target *t, const char *name) {
    size_t at = 0;
    while (at < t->query.len) {
        const char *field = t->query.data + at;
        const char *value = field + strlen(field) + 1;
        if (strcmp(field, name) == 0) return value;
        at += strlen(field) + strlen(value) + 2;
    }
    return NULL;
}
