/* SPDX-License-Identifier: MIT */
/*
 * fuzz_hub.c - any bytes as what a hub answers and as what a model is called. What comes out
 * names files inside the model's folder only, and a choice is a part of the list.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "hub/hub_choice.h"

static void check_path(const char *path) {
    assert(path[0] && path[0] != '/' && path[0] != '.');
    assert(!strstr(path, "/.") && !strstr(path, "//") && !strchr(path, '%'));
}

static void check_choice(const struct hub_files *files, const struct hub_name *name) {
    struct hub_choice choice;
    struct error err;
    if (!hub_choose(files, name, 1000000, &choice, &err)) return;
    nbytes bytes = 0;
    assert(choice.count > 0);
    for (size_t i = 0; i < choice.count; i++) {
        assert(choice.files[i] >= files->list && choice.files[i] < files->list + files->count);
        bytes += choice.files[i]->size;
    }
    assert(bytes == choice.bytes);
    hub_choice_clear(&choice);
}

static void ask_name(const char *text, const struct hub_files *files) {
    struct hub_name name;
    if (!hub_name_parse(text, &name)) return;
    check_path(name.owner);
    check_path(name.repo);
    if (name.file[0]) check_path(name.file);
    check_choice(files, &name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first line is a name, the rest a text of the hub. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    size_t name_len = line ? (size_t)(line - data) : size;
    char *name = xstrndup((const char *)data, name_len);
    char *text = line ? xstrndup((const char *)line + 1, size - name_len - 1) : xstrdup("[]");
    struct hub_files files = { 0 };
    struct hub_found found[8];
    struct error err = { 0 };
    char commit[HUB_COMMIT_SIZE];
    size_t next_len = 0;
    if (hub_read_tree(text, strlen(text), &files, &err)) {
        for (size_t i = 0; i < files.count; i++) check_path(files.list[i].path);
    }
    ask_name(name, &files);
    (void)hub_read_commit(text, strlen(text), name, commit, &err);
    size_t count = hub_read_search(text, strlen(text), found, 8, &err);
    for (size_t i = 0; i < count; i++) check_path(found[i].name);
    const char *next = hub_next_page(text, &next_len);
    assert(!next || (next >= text && next + next_len <= text + strlen(text)));
    hub_files_clear(&files);
    free(name);
    free(text);
    return 0;
}
