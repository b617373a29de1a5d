/* SPDX-License-Identifier: MIT */
/*
 * What `make run` offers on a machine without models: two files that answer every question with
 * the same text, so that loading, ttl and eviction can be tried at once, without a download.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "make.h"

static const char hello_text[] =
    "Hello from doze. I am not a real language model: I am a demo of a few megabytes that says "
    "these sentences whatever you ask. But everything around me is real. Your request made "
    "doze "
    "load me, and when nobody has asked me anything for my ttl, I am unloaded and all my "
    "memory "
    "is given back; watch it with `doze ps`. Ask for doze-demo-guide next: with auto_evict on "
    "I "
    "make room for it. It tells you how to get a real model.";

static const char guide_text[] =
    "To talk to a real model, put a GGUF file into ~/.local/share/doze/models, best in two "
    "folders named after its publisher and itself: publisher/model/model-Q4_K_M.gguf. Models "
    "that LM Studio (~/.lmstudio/models) or the Hugging Face cache already hold are found "
    "where "
    "they are. doze notices a new file by itself; `doze ls` shows what it found. Then name the "
    "model in the \"model\" field of your request, or type `doze chat` and its name. A first "
    "one "
    "to try is Qwen2.5 0.5B Instruct in Q8_0: about 500 MB, from the Hugging Face page "
    "Qwen/Qwen2.5-0.5B-Instruct-GGUF. Delete us, the folder named doze, when you no longer "
    "need "
    "us.";

static bool make_folders(const char *path, struct error *err) {
    char *copy = xstrdup(path);
    bool ok = true;

    for (char *at = strchr(copy + 1, '/'); ok && at; at = strchr(at + 1, '/')) {
        *at = '\0';
        ok = mkdir(copy, 0777) == 0 || errno == EEXIST;
        if (!ok)
            (void)error_set(err, ERR_IO, "cannot make the folder %s: %s", copy,
                            strerror(errno));
        *at = '/';
    }
    free(copy);
    return ok;
}

static bool make_one(const char *dir, const char *name, const char *title, const char *text,
                     struct error *err) {
    char *path = xasprintf("%s/doze/%s/%s.gguf", dir, name, name);
    struct spoken_options options = { .decoder = { .out = path, .name = title }, .text = text };
    bool ok = access(path, F_OK) == 0 ||
              (make_folders(path, err) && spoken_make(&options, err));

    free(path);
    return ok;
}

bool demo_make(const struct demo_options *options, struct error *err) {
    return make_one(options->dir, "doze-demo-hello", "doze demo hello", hello_text, err) &&
           make_one(options->dir, "doze-demo-guide", "doze demo guide", guide_text, err);
}
