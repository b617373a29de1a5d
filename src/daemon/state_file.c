/* SPDX-License-Identifier: MIT */
#include "daemon/state_file.h"

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"

bool state_file_set_aside(const char *path, const char *why) {
    struct error err;
    bool moved = file_set_aside(path, &err);
    if (moved) {
        log_warn("%s is damaged (%s); it was moved to %s.corrupt and what can be read is used",
                 path, why, path);
    } else {
        log_warn("%s is damaged (%s) and what can be read is used; %s", path, why, err.text);
    }
    return moved;
}

yyjson_doc *state_file_read(const char *path) {
    struct buf text = BUF_INIT(STATE_FILE_MAX);
    struct error err;
    yyjson_doc *doc = NULL;
    if (file_read(path, &text, &err)) {
        doc = json_parse(buf_str(&text), text.len, &err);
    }
    if (!doc && err.code != ERR_NOT_FOUND) (void)state_file_set_aside(path, err.text);
    buf_clear(&text);
    return doc;
}
