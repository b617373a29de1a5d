/* SPDX-License-Identifier: MIT */
#include "daemon/state_file.h"

#include "base/json.h"
#include "base/log.h"
#include "daemon/file.h"

void state_file_set_aside(const char *path, const char *why) {
    struct error err;
    if (file_set_aside(path, &err)) {
        log_warn("%s is damaged (%s); it was moved to %s.corrupt and defaults are used", path,
                 why, path);
    } else {
        log_warn("%s is damaged (%s) and defaults are used; %s", path, why, err.text);
    }
}

yyjson_doc *state_file_read(const char *path) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    struct error err;
    yyjson_doc *doc = NULL;
    if (file_read(path, &text, &err)) {
        doc = json_parse(buf_str(&text), text.len, &err);
        if (!doc) state_file_set_aside(path, err.text);
    } else if (err.code != ERR_NOT_FOUND) {
        log_warn("%s", err.text);
    }
    buf_clear(&text);
    return doc;
}
