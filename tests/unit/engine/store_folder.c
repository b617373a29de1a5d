/* SPDX-License-Identifier: MIT */
#include "store_folder.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "models.h"

char *folder;
const char *usual = "\"parallel\":2";

void each_file(void (*fn)(const char *path)) {
    DIR *dir = opendir(folder);
    for (struct dirent *d; dir && (d = readdir(dir));) {
        if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0) continue;
        char *path = xasprintf("%s/%s", folder, d->d_name);
        fn(path);
        free(path);
    }
    if (dir) closedir(dir);
}

static int files;

static void count_file(const char *path) {
    (void)path;
    files++;
}

int file_count(void) {
    files = 0;
    each_file(count_file);
    return files;
}

void delete_file(const char *path) {
    assert_int_equal(unlink(path), 0);
}

int make_folder(void **state) {
    (void)state;
    folder = xstrdup("/tmp/doze-store-test-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return 0;
}

int clear_folder(void **state) {
    (void)state;
    each_file(delete_file);
    assert_int_equal(rmdir(folder), 0);
    free(folder);
    return 0;
}

struct worker *start_with(const char *model, const char *mode, const char *more) {
    char *options = xasprintf(WORKER_STEADY
                              ",\"context_length\":2048,\"prompts\":{\"mode\":\"%s\","
                              "\"dir\":\"%s\",\"memory_bytes\":268435456},%s",
                              mode, folder, more);
    struct worker *w = worker_load(model, options);
    free(options);
    return w;
}

struct worker *start(const char *model, const char *mode) {
    return start_with(model, mode, usual);
}

struct said ask(struct worker *w, const char *prompt, int tokens, const char *more) {
    struct outcome *o = worker_run(w,
                                   "{\"op\":\"completion\",\"prompt\":\"%s\",\"max_tokens\":%d,"
                                   "\"temperature\":0%s}",
                                   prompt, tokens, more);
    assert_false(o->failed);
    struct said said = { .text = xstrdup(buf_str(&o->content)),
                         .cached = outcome_int(o, "cached_tokens") };
    const char *source = outcome_str(o, "cache_source");
    snprintf(said.source, sizeof said.source, "%s", source ? source : "");
    return said;
}

void expect(struct said *said, const char *text, int64_t least, int64_t most,
            const char *source) {
    assert_string_equal(said->text, text);
    assert_in_range(said->cached, least - least % OUTCOME_GROUP, most);
    assert_string_equal(said->source, source);
    free(said->text);
}

char *random_model(void) {
    return model_make("random", "random", "--seed", "7", NULL);
}
