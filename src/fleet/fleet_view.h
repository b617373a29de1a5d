/* SPDX-License-Identifier: MIT */
/*
 * fleet_view.h - what the nodes have published, as placement.h wants it for one request.
 *
 * Pure. What others publish may be anything: numbers are bounded, and a node whose entry does
 * not prove that it has the fleet key does not exist here.
 */
#ifndef DOZE_FLEET_FLEET_VIEW_H
#define DOZE_FLEET_FLEET_VIEW_H

#include "fleet/fleet_table.h"
#include "fleet/placement.h"
#include "fleet/prefix_text.h"
#include "fleet/published.h"

/* A request that this node has sent to a node, maybe itself. */
struct fleet_sent {
    char node[FLEET_NODE_SIZE]; /* "": none */
    msec at;
};
enum {
    FLEET_SENT_MAX = 64,
    /* ms until what a node publishes has it: of another one, and of this one itself */
    FLEET_SENT_SPAN = 300,
    FLEET_SENT_SPAN_HERE = 30,
};

/* Borrowed for the view's life. */
struct fleet_question {
    const char *name; /* of the model, as the client wrote it */
    const char *key;  /* of the model that the name means on this node; NULL: none */
    enum placement_type type;
    uint32_t prompt;                  /* tokens, about */
    const struct prefix_marks *marks; /* NULL: its prompt is not looked for */
    bool forwarded;                   /* by another node: only this one can answer */
    uint64_t lot;                     /* placement_request.key */
    const char *here;                 /* this node */
    const char *secret;               /* the fleet key; "": none */
    const char *const *tried;         /* nodes */
    size_t tried_count;
    const struct fleet_sent *sent; /* FLEET_SENT_MAX; NULL: nothing was */
    msec now, unix_now;
};

struct fleet_view {
    struct placement_table table;
    struct placement_request request;
    /* The model's, if a node may fetch it from another; 0: none may. */
    struct published_file files[PUBLISHED_FILES_MAX];
    size_t file_count;
    bool has_adapters; /* the model has; nobody fetches it then */
    const char *model; /* its key; borrowed, as all texts, from the question or the table */
    const char **urls; /* of the nodes */
    struct placement_node *nodes;
    struct placement_instance *instances;
};

/* False: this node is not in the table. Clear with fleet_view_clear in either case. */
bool fleet_view_make(const struct fleet_table *table, const struct fleet_question *question,
                     struct fleet_view *ret) __attribute__((warn_unused_result));
void fleet_view_clear(struct fleet_view *view);

/* May the node's disk be asked for all files? */
bool fleet_view_is_source(const struct fleet_table *table, const struct fleet_view *view,
                          uint32_t node);

/* Has the node another model than this one under the key? */
bool fleet_view_has_other(const struct fleet_table *table, const char *here, const char *key,
                          const char *node);

/* placement_choose; but where the estimate of its memory would refuse a model that some node
 * has on its disk, that node's own rules are to decide. */
void fleet_view_choose(struct fleet_view *view, msec now, struct placement *ret);

#endif
