/* SPDX-License-Identifier: MIT */
#include "templates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "cmocka_prelude.h"
#include "engine/backends.h"
#include "engine/log_capture.h"
#include "models.h"

enum { MAX_TEXT = 16 << 20 };

struct model templates_model;

bool templates_open_vocab(const char *vocab) {
    char *name = xasprintf("vocab-%s", vocab);
    char *file = xasprintf(VOCABS_DIR "/ggml-vocab-%s.gguf", vocab);
    char *path = model_make(name, "random", "--vocab", file, NULL);
    char *load = xasprintf("{\"path\":\"%s\"}", path);
    struct load_message request;
    struct error err;
    log_capture_start();
    backends_load();
    bool ok = load_message_parse(&request, load, strlen(load), &err) &&
              model_open(&templates_model, &request, NULL, NULL, NULL, &err);
    if (!ok) print_error("%s\n", err.text);
    load_message_clear(&request);
    free(load);
    free(path);
    free(file);
    free(name);
    return ok;
}

int templates_open(void **state) {
    (void)state;
    return templates_open_vocab("qwen2") ? 0 : -1;
}

int templates_close(void **state) {
    (void)state;
    model_close(&templates_model);
    return 0;
}

char *templates_read(const char *path) {
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    struct buf text = BUF_INIT(MAX_TEXT);
    char part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;) {
        assert_true(buf_add(&text, part, n));
    }
    fclose(f);
    char *copy = xstrdup(buf_str(&text));
    buf_clear(&text);
    return copy;
}
