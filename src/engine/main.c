/* SPDX-License-Identifier: MIT */
/*
 * doze-engine: the process that holds one model. The daemon starts it with a socket on fd 3;
 * see ipc/message.h for what is said there.
 */
#include <llama.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/dirs.h"
#include "base/file_prefetch.h"
#include "base/json.h"
#include "base/memory.h"
#include "engine/backends.h"
#include "engine/describe.h"
#include "engine/devices.h"
#include "engine/engine.h"
#include "engine/lent.h"
#include "engine/load_watch.h"
#include "engine/log_capture.h"
#include "engine/measure.h"
#include "engine/parking.h"
#include "engine/placement.h"
#include "engine/preparation.h"
#include "engine/process_rights.h"
#include "engine/prompt_cache.h"
#include "engine/reply.h"
#include "engine/rules_check.h"
#include "engine/sandbox.h"

enum { EXIT_USAGE = 2 };

#define READ_SHARE 0.9F

static struct engine engine;
static struct sandbox sandbox;

static bool is_socket(int fd) {
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
}

static void say_hello(struct link *link) {
    char name[128];
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    snprintf(name, sizeof name, "llama.cpp %s", llama_version());
    yyjson_mut_obj_add_int(doc, root, "version", MESSAGE_VERSION);
    yyjson_mut_obj_add_str(doc, root, "engine", name);
    link_send_doc(link, MSG_HELLO, doc);
}

/* ---- loading ---- */

struct progress {
    struct link *link;
    float from; /* part of the whole that is done before this stage */
    float last; /* of the stage */
    int permille;
    msec sent;
};

/* At most ten a second, because each becomes an event for all that wait. */
static bool load_on_progress(float progress, void *ctx) {
    struct progress *p = ctx;
    int permille = (int)((p->from + progress * (1 - p->from)) * 1000);
    msec now = clock_boottime();
    if (permille == p->permille || (now - p->sent < 100 && permille < 1000)) return true;
    p->permille = permille;
    p->sent = now;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_int(doc, root, "permille", permille);
    link_send_doc(p->link, MSG_PROGRESS, doc);
    return true;
}

/* Reading a file takes most of the time, if it has to be read. */
static bool prefetch_on_progress(float progress, void *ctx) {
    struct progress *p = ctx;
    p->last = progress * READ_SHARE;
    return load_on_progress(p->last, p);
}

static bool load_draft(struct engine *e, const struct load_message *request,
                       struct error *err) {
    const char *warning;
    if (!drafter_open(e, request, &warning, err)) return false;
    if (warning) link_send_warning(&e->link, warning, strlen(warning));
    return true;
}

/* The sequences of a draft model have the numbers of the model's (drafter.h). */
static enum context_width width_of(const struct load_message *request) {
    return request->draft ? CONTEXT_WIDE : CONTEXT_NARROW;
}

static bool load(struct engine *e, struct load_message *request, struct error *err) {
    struct progress progress = { .link = &e->link };
    if (request->settings.mmap && !request->prefetched)
        (void)file_prefetch(request->path, prefetch_on_progress, &progress, NULL);
    progress.from = progress.last;
    struct llama_model_params placed = llama_model_default_params();
    static struct placement room;
    if (request->lent_bytes > 0) {
        if (!placement_choose_lent(&placed, request, &room, err)) return false;
    } else {
        placement_choose(&placed, request, &room);
    }
    bool ok = model_open(&e->model, request, &placed, load_on_progress, &progress, err);
    if (ok) model_open_projector(&e->model, request);
    ok = ok && preparation_begin(e, &request->settings, err) &&
         context_open(&e->context, &e->model, request, width_of(request), err) &&
         load_draft(e, request, err);
    e->growth.patience = (int64_t)(request->growth_seconds * 1e6);
    e->draft_trial = request->draft_trial > 0 ? (size_t)request->draft_trial : LOOKUP_TRIAL;
    e->shrink_after = (int64_t)(request->shrink_seconds * 1e6);
    if (ok) prompt_cache_open(e, request);
    if (ok) repack_open(e, request);
    return ok;
}

static void measure_and_report(struct link *link, struct load_message *request) {
    struct error err;
    struct measured sums;
    if (!measure_model(request, &sums, &err)) {
        reply_failed(link, &err);
        return;
    }
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = json_object_new(&root);
    yyjson_mut_obj_add_uint(doc, root, "model", sums.model);
    yyjson_mut_obj_add_uint(doc, root, "model_device", sums.model_device);
    yyjson_mut_obj_add_uint(doc, root, "context", sums.context);
    yyjson_mut_obj_add_uint(doc, root, "context_device", sums.context_device);
    link_send_doc(link, MSG_MEASURED, doc);
    link_drain(link);
}

static void check_and_report(struct link *link, yyjson_val *rules) {
    struct error err;
    if (rules_check(rules, &err)) {
        link_send(link, MSG_CHECKED, 0, "{}", 2);
        link_drain(link);
    } else {
        reply_failed(link, &err);
    }
}

/* Wait for LOAD, MEASURE, CHECK or LEND. False: STOP, or the daemon is gone. */
static bool next_load(struct link *link, struct frame *ret) {
    while (link_fill(link)) {
        while (link_next(link, ret)) {
            if (ret->type == MSG_STOP) return false;
            if (ret->type == MSG_LOAD || ret->type == MSG_MEASURE || ret->type == MSG_CHECK ||
                ret->type == MSG_LEND)
                return true;
        }
        link_wait(link, NULL, 0, -1);
    }
    return false;
}

static bool is_stop(void *ctx, const struct frame *frame) {
    (void)ctx;
    return frame->type == MSG_STOP;
}

/* The files that are still needed: the weights to be repacked, the store of prompts. */
static struct sandbox_rights rights_to_serve(const struct engine *e) {
    const struct load_message *again = e->repack.state == REPACK_WAITING ? &e->repack.request
                                                                         : NULL;
    return (struct sandbox_rights){
        .model = again ? again->path : NULL,
        .adapters = again ? &again->settings.adapters : NULL,
        .prompts = e->store.mode == PROMPT_STORE_ON ? e->store.path : NULL,
        .driver = backends_have_gpu(),
    };
}

/* Otherwise only a client that sends a picture would be told. */
static void warn_no_vision(struct engine *e) {
    char text[256];
    int len = snprintf(text, sizeof text, "The model cannot read images: %s.",
                       e->model.vision_error);
    link_send_warning(&e->link, text,
                      (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
}

static void say_ready(struct engine *e, msec begin) {
    struct buf ready = BUF_INIT(8192);
    describe_model(e, &sandbox, (double)(clock_boottime() - begin) / 1000, &ready);
    link_send(&e->link, MSG_READY, 0, buf_str(&ready), ready.len);
    buf_clear(&ready);
}

static bool load_and_report(struct engine *e, struct load_message *request) {
    struct error err;
    struct load_watch watch;
    msec begin = clock_boottime();
    /* one that came with LOAD: the watch cannot see it */
    if (link_peek(&e->link, is_stop, NULL)) _exit(0);
    load_watch_start(&watch, e->link.fd);
    bool ok = load(e, request, &err);
    load_watch_end(&watch);
    if (!ok) {
        reply_failed(&e->link, &err);
        return false;
    }
    engine_init(e);
    if (e->model.vision_error) warn_no_vision(e);
    struct sandbox_rights rights = rights_to_serve(e);
    sandbox_enter(&sandbox, SANDBOX_SERVING, &rights);
    if (e->repack.state == REPACK_WAITING)
        reply_memory(e); /* a client that finds it loaded finds this, too */
    say_ready(e, begin);
    return true;
}

/* What a client sent is read in a process that does nothing else. */
static void obey_check(struct engine *e, const struct frame *frame) {
    struct error err;
    const struct sandbox_rights nothing = { 0 };
    yyjson_doc *doc = json_parse_object(frame->payload, frame->len, &err);
    yyjson_val *rules = yyjson_doc_get_root(doc);
    preparer_limit(yyjson_get_num(yyjson_obj_get(rules, "seconds")));
    process_rights_drop_capabilities(&nothing);
    sandbox_enter(&sandbox, SANDBOX_LOADING, &nothing);
    check_and_report(&e->link, rules);
    yyjson_doc_free(doc);
}

static bool obey_lend(struct engine *e, const struct frame *frame) {
    struct error err;
    if (lent_serve(&e->link, frame->payload, frame->len, &err)) return true;
    reply_failed(&e->link, &err);
    return false;
}

/* The last step before the model's file is read. */
static void enter_sandbox(const struct sandbox_rights *rights) {
    process_rights_drop_capabilities(rights);
    sandbox_enter(&sandbox, SANDBOX_LOADING, rights);
    /* A saved sequence is not larger than the memory it was in. */
    if (sandbox.calls) process_rights_limit_files(rights->prompts ? memory_total() : 0);
}

static void measure_in_sandbox(struct engine *e, struct load_message *request) {
    struct sandbox_rights rights = { .model = request->path,
                                     .draft = request->draft,
                                     .driver = backends_have_gpu() };
    enter_sandbox(&rights);
    measure_and_report(&e->link, request);
}

static bool load_in_sandbox(struct engine *e, struct load_message *request) {
    struct error err, ignored;
    bool on = request->prompts.mode == PROMPT_STORE_ON;
    struct sandbox_rights rights = { .model = request->path,
                                     .projector = request->projector,
                                     .adapters = &request->settings.adapters,
                                     .draft = request->draft,
                                     .prompts = on ? request->prompts.dir : NULL,
                                     .driver = backends_have_gpu() };
    /* the first write to the folder reports what is wrong with it */
    if (rights.prompts) (void)dirs_make(rights.prompts, 0700, &ignored);
    if (!preparers_open(&e->preparers, (int)request->settings.parallel + PREPARING_MAX, &err)) {
        reply_failed(&e->link, &err);
        return false;
    }
    enter_sandbox(&rights);
    if (on && !sandbox_writes(&sandbox)) request->prompts.mode = PROMPT_STORE_MEMORY;
    return load_and_report(e, request);
}

/* LOAD or MEASURE. False: the process ends. */
static bool obey_load(struct engine *e, const struct frame *frame) {
    struct error err;
    struct load_message request;
    bool loaded = false;
    if (!load_message_parse(&request, frame->payload, frame->len, &err)) {
        reply_failed(&e->link, &err);
        return false;
    }
    if (frame->type == MSG_MEASURE)
        measure_in_sandbox(e, &request);
    else
        loaded = load_in_sandbox(e, &request);
    load_message_clear(&request);
    return loaded;
}

/* The model is there. */
static bool obey_load_again(struct engine *e, const struct frame *frame) {
    struct error err;
    struct load_message request;
    msec begin = clock_boottime();
    bool ok = load_message_parse(&request, frame->payload, frame->len, &err);
    bool open = ok && parking_end(e, &request, &err);
    if (ok) load_message_clear(&request);
    if (open)
        say_ready(e, begin);
    else
        reply_failed(&e->link, &err);
    return open;
}

/* SAVED: what has been processed is to be saved first. */
enum end { END_SAVED, END_UNSAVED, END_FAILED };

/* Serve, and be parked, until there is no more to do. */
static enum end serve(struct engine *e) {
    struct frame frame;
    for (;;) {
        enum engine_order order = engine_run(e);
        if (order == ENGINE_LEFT) return END_UNSAVED;
        if (order == ENGINE_STOP || !parking_begin(e)) return END_SAVED;
        if (!next_load(&e->link, &frame) || frame.type != MSG_LOAD) return END_UNSAVED;
        if (!obey_load_again(e, &frame)) return END_FAILED;
    }
}

/* Serve the model that is loaded, and end. Returns the exit status. */
static int serve_and_end(struct engine *e) {
    enum end end = serve(e);
    preparers_end(&e->preparers);
    bool alone = repack_close(e);
    if (end == END_SAVED) prompt_cache_save_all(e);
    /* a driver may take seconds to end, and a lender sees that the connection ends */
    if (!alone || lent_is_used() || backends_have_gpu()) _exit(0);
    engine_clear(e); /* not the model: the kernel takes it back faster than llama_free */
    return end == END_FAILED;
}

int main(int argc, char **argv) {
    log_capture_start();
    if (argc == 2 && strcmp(argv[1], "--devices") == 0) return devices_print() ? 0 : 1;
    if (!is_socket(WORKER_FD)) {
        fputs("doze-engine holds a model for doze and is started by it; run `doze serve`.\n",
              stderr);
        return EXIT_USAGE;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    process_rights_start();
    /* Ctrl-C reaches the whole group; the daemon decides what ends when */
    signal(SIGINT, SIG_IGN);
    link_init(&engine.link, WORKER_FD);
    backends_load();
    say_hello(&engine.link);
    struct frame frame;
    if (!next_load(&engine.link, &frame)) return 0;
    if (frame.type == MSG_CHECK) {
        obey_check(&engine, &frame);
        return 0;
    }
    if (frame.type == MSG_LEND) _exit(obey_lend(&engine, &frame) ? 0 : 1); /* as with a loan */
    if (!obey_load(&engine, &frame)) {
        if (lent_is_used()) _exit(1);
        return frame.type == MSG_MEASURE ? 0 : 1;
    }
    log_capture_forward(&engine.link);
    return serve_and_end(&engine);
}
