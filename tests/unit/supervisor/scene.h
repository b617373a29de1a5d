/* SPDX-License-Identifier: MIT */
/* scene.h - a supervisor between clients and workers, whose messages are the test's. No process
 * is started (puppets.c). What clients ask for and workers say is done when the loop turns. */
#ifndef TESTS_SUPERVISOR_SCENE_H
#define TESTS_SUPERVISOR_SCENE_H

#include "cmocka_prelude.h"

#include "puppets.h"
#include "supervisor/supervisor.h"

#define READY "{\"context_length\":512,\"parallel\":4,\"memory_bytes\":1000}"

/* What a sink was told. */
struct told {
    int results, errors;
    int not_kept; /* results that say so */
    enum stop_reason stop_reason;
    int progress; /* of a load, however often it was told */
    struct error error;
    struct load_estimate estimate;
};

struct scene {
    uv_loop_t loop;
    struct settings settings;
    struct model models[2];
    struct catalog catalog, *current;
    struct metrics metrics;
    struct byte_budget budget; /* empty when the scene is closed */
    struct supervisor *sup;
    int pinned_changes;
    int forgotten;     /* models whose files are to be deleted again */
    bool disk_is_slow; /* the test says when what is pinned is saved */
    bool log_wanted;
    struct buf log;       /* lines of models */
    struct buf parked;    /* what became of parked workers */
    struct told told[20]; /* sinks may speak until the end of the scene */
};

int scene_open(void **state);
int scene_close(void **state);
void turn(struct scene *s);
void say(struct scene *s, int n, enum message_type type, const char *payload);
/* About the request that the worker got last. */
void answer(struct scene *s, int n, enum message_type type, const char *payload);
void die(struct scene *s, int n);
void told_load_end(void *ctx, call_id call, const struct load_result *result,
                   const struct error *error);
void told_event(void *ctx, call_id call, const struct service_event *ev);
void told_estimate(void *ctx, const struct load_estimate *estimate, const struct error *error);
void told_done(void *ctx, const struct error *error);
call_id load(struct scene *s, struct load_request request, struct told *told);
/* "one", under this identifier; NULL: its key. */
void load_named(struct scene *s, const char *identifier, struct told *told);
call_id get_or_load(struct scene *s, struct load_request request, struct told *told);
void estimate(struct scene *s, struct told *told);
call_id generate(struct scene *s, enum service_op op, const char *model, struct told *told);
/* With this neutral body. */
call_id generate_with(struct scene *s, enum service_op op, const char *model, const char *body,
                      struct told *told);
void ask(struct scene *s, const char *model, struct told *told);
void unload(struct scene *s, const char *identifier, struct told *told);
void update(struct scene *s, const char *identifier, struct instance_change change,
            struct told *told);
struct load_request request_for(const char *model);
/* The only instance that is listed. */
const struct instance_view *instance(struct scene *s);
int told_of(const struct told *told);

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

#endif
